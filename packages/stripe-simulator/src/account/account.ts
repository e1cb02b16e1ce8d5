import { type BillingSettings, defaultBillingSettings } from "../objects/billing_settings.ts";
import type { CheckoutOrder, CheckoutSession } from "../objects/checkout_session.ts";
import type { CliDevice, CliSession } from "../objects/cli_session.ts";
import type { Customer } from "../objects/customer.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import { type EventDestination, hearsSnapshots, hearsThin } from "../objects/event_destination.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { InvoiceItem } from "../objects/invoice_item.ts";
import type { Meter, MeterErrors, ReceivedMeterEvent } from "../objects/meter.ts";
import type { Charge, InvoicePayment, PaymentIntent } from "../objects/payment.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import type { PortalConfiguration, PortalSession } from "../objects/billing_portal.ts";
import type { Price } from "../objects/price.ts";
import type { Product } from "../objects/product.ts";
import type { Reminder } from "../objects/advance_notice.ts";
import type { Deleted } from "../objects/stored_object.ts";
import type { SetupIntent } from "../objects/setup_intent.ts";
import type { Subscription } from "../objects/subscription.ts";
import type { TestClock } from "../objects/test_clock.ts";
import { type ThinEvent, thinTwinOf, thinTypeOf } from "../objects/thin_event.ts";
import { listensTo, type WebhookEndpoint } from "../objects/webhook_endpoint.ts";
import type { UsedKey } from "./idempotency_keys.ts";
import { Collection } from "./collection.ts";

/** Hears of a published event, with the ids of the webhook endpoints and event destinations it goes to. */
export type Publisher = (event: Event | ThinEvent, recipients: string[]) => void;

/** What tells by whose time an object lives. */
export interface OfCustomer {
  id?: unknown;
  customer?: unknown;
  invoice?: unknown;
  test_clock?: unknown;
}

/** One simulated Stripe account in test mode: everything it knows, and what time it is there. */
export class Account {
  /** Called after every change of state, so that it can be saved. */
  onChange: () => void = () => {};
  /** Called with every object that is added or replaced. */
  onPut: (object: object & { id: string }) => void = () => {};
  /** Called once for each event, after it is part of the state. */
  onEvent: Publisher = () => {};
  /** Called when an event is to be sent once more: to those recipients, or without any to whoever listens just now. */
  onResend: Publisher = () => {};
  /** True while somebody beside the event destinations wants the thin twin of every event. */
  wantsThinEvents: () => boolean = () => false;
  /** Where the account's pages are, without a slash at the end. */
  origin = "";

  readonly #changed = (put?: object & { id: string }) => {
    if (put) this.onPut(put);
    this.onChange();
  };

  readonly products = new Collection<Product>("product", this.#changed);
  readonly prices = new Collection<Price>("price", this.#changed);
  readonly customers = new Collection<Customer>("customer", this.#changed);
  readonly deletedCustomers = new Collection<Deleted>("customer", this.#changed);
  readonly paymentMethods = new Collection<PaymentMethod>(
    "PaymentMethod",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly paymentIntents = new Collection<PaymentIntent>("payment_intent", this.#changed);
  readonly charges = new Collection<Charge>("charge", this.#changed);
  readonly setupIntents = new Collection<SetupIntent>("setup_intent", this.#changed);
  readonly checkoutSessions = new Collection<CheckoutSession>("checkout.session", this.#changed);
  readonly checkoutOrders = new Collection<CheckoutOrder>("checkout.session", this.#changed);
  readonly subscriptions = new Collection<Subscription>(
    "subscription",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly invoices = new Collection<Invoice>(
    "invoice",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly invoicePayments = new Collection<InvoicePayment>(
    "invoice payment",
    this.#changed,
    { ownerOf: ({ invoice }) => invoice },
  );
  readonly invoiceItems = new Collection<InvoiceItem>(
    "invoiceitem",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly meters = new Collection<Meter>("meter", this.#changed);
  readonly meterEvents = new Collection<ReceivedMeterEvent>("meter event", this.#changed, {
    ownerOf: ({ meter, customer }) => customer === null ? null : `${meter}:${customer}`,
  });
  readonly meterErrors = new Collection<MeterErrors>("meter errors", this.#changed);
  readonly testClocks = new Collection<TestClock>("test clock", this.#changed);
  readonly reminders = new Collection<Reminder>("reminder", this.#changed);
  readonly settings = new Collection<BillingSettings & { id: "billing" }>("settings", this.#changed);
  readonly portalConfigurations = new Collection<PortalConfiguration>("configuration", this.#changed);
  readonly portalSessions = new Collection<PortalSession>("portal session", this.#changed);
  readonly webhookEndpoints = new Collection<WebhookEndpoint>("webhook endpoint", this.#changed);
  readonly eventDestinations = new Collection<EventDestination>("event destination", this.#changed);
  readonly events = new Collection<Event>("event", this.#changed);
  readonly thinEvents = new Collection<ThinEvent>("event", this.#changed);
  readonly idempotencyKeys = new Collection<UsedKey>("idempotency key", this.#changed);
  readonly cliDevices = new Collection<CliDevice>("device", this.#changed);
  readonly cliSessions = new Collection<CliSession>("session", this.#changed);
  readonly deliveries = new Collection<Delivery>("delivery", this.#changed, {
    ownerOf: ({ event }) => event,
  });

  /** `now` tells the time in whole seconds since 1970. */
  constructor(readonly now: () => number = () => Math.floor(Date.now() / 1000)) {}

  /** How failed payments are followed up, as the account's owner has set it. */
  get billingSettings(): BillingSettings {
    const { id: _, ...settings } = this.settings.find("billing") ??
      { id: "billing", ...defaultBillingSettings };
    return settings;
  }

  /** The test clock by whose time an object lives: its own, or that of the customer it belongs to. */
  clockOf(object: OfCustomer): TestClock | undefined {
    const { test_clock: clock, customer, invoice } = object;
    if (typeof clock === "string") return this.testClocks.find(clock);
    if (clock === null) return;
    const owner = typeof customer === "string"
      ? this.customers.find(customer)
      : typeof invoice === "string"
      ? this.invoices.find(invoice)
      : undefined;
    return owner && this.clockOf(owner);
  }

  /** Makes an event part of the account's history and sends it on its way, with its thin twin where one is wanted. */
  publish(event: Event) {
    const endpoints = this.webhookEndpoints.oldestFirst().filter((endpoint) =>
      listensTo(endpoint, event.type)
    );
    const destinations = this.eventDestinations.oldestFirst();
    const hearing = destinations.filter((destination) => hearsSnapshots(destination, event.type));
    const recipients = [...endpoints, ...hearing].map(({ id }) => id);
    const published = this.events.put({ ...event, pending_webhooks: recipients.length });
    this.onEvent(published, recipients);
    const twin = { type: thinTypeOf(event.type), related_object: null };
    if (this.wantsThinEvents() || destinations.some((destination) => hearsThin(destination, twin))) {
      this.publishThin(thinTwinOf(published));
    }
  }

  /** Makes a thin event part of the account's history and sends it on its way. */
  publishThin(event: ThinEvent) {
    const hearing = this.eventDestinations.oldestFirst().filter((destination) =>
      hearsThin(destination, event)
    );
    this.onEvent(this.thinEvents.put(event), hearing.map(({ id }) => id));
  }

  /** Every collection by its name: what is saved and loaded. */
  collections(): [name: string, collection: Collection<{ id: string }>][] {
    return Object.entries(this).filter(([, value]) => value instanceof Collection);
  }
}
