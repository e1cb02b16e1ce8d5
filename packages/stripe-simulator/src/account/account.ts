import type { AdvanceNotice } from "../objects/advance_notice.ts";
import type { DefaultVersion } from "../objects/api_versions.ts";
import type { PortalConfiguration, PortalSession } from "../objects/billing_portal.ts";
import { type BillingSettings, defaultBillingSettings } from "../objects/billing_settings.ts";
import type { CheckoutOrder, CheckoutSession } from "../objects/checkout_session.ts";
import type { CliDevice, CliSession } from "../objects/cli_session.ts";
import type { CustomerBalanceTransaction } from "../objects/balance_transaction.ts";
import type { CreditNote } from "../objects/credit_note.ts";
import type { Dispute } from "../objects/dispute.ts";
import type { Refund } from "../objects/refund.ts";
import type { Coupon, CouponDetails, Discount, PromotionCode } from "../objects/coupon.ts";
import type { Customer } from "../objects/customer.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import { type EventDestination, receivesSnapshots, receivesThin } from "../objects/event_destination.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { InvoiceItem } from "../objects/invoice_item.ts";
import type { Meter, MeterErrors, ReceivedMeterEvent } from "../objects/meter.ts";
import type { Charge, InvoicePayment, PaymentIntent } from "../objects/payment.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import type { PendingPayment } from "../objects/pending_payment.ts";
import type { Price, PriceDetails } from "../objects/price.ts";
import type { Product } from "../objects/product.ts";
import type { RestrictedKey } from "../objects/restricted_key.ts";
import type { SetupIntent } from "../objects/setup_intent.ts";
import { apiVersion, type Deleted } from "../objects/stored_object.ts";
import type { Subscription } from "../objects/subscription.ts";
import type { SubscriptionSchedule } from "../objects/subscription_schedule.ts";
import type { TaxId } from "../objects/tax_id.ts";
import type { TaxRate } from "../objects/tax_rate.ts";
import type { TestClock } from "../objects/test_clock.ts";
import { type ThinEvent, thinEventFor, thinTypeOf } from "../objects/thin_event.ts";
import { listensTo, type WebhookEndpoint } from "../objects/webhook_endpoint.ts";
import { Collection } from "./collection.ts";
import type { UsedKey } from "./idempotency_keys.ts";

/** Receives a published event and the ids of the webhook endpoints and event destinations it goes to. */
export type Publisher = (event: Event | ThinEvent, recipients: string[]) => void;

/** The fields that determine on which clock an object lives. */
export interface ClockOwned {
  id?: unknown;
  customer?: unknown;
  invoice?: unknown;
  test_clock?: unknown;
}

/** One simulated Stripe account in test mode: all its objects, and its time. */
export class Account {
  /** Called after every change, so that the state can be saved. */
  onChange: () => void = () => {};
  /** Called with every object that is added or replaced. */
  onPut: (object: object & { id: string }) => void = () => {};
  /** Called once for each event, after it is stored. */
  onEvent: Publisher = () => {};
  /** Called when an event is to be sent again: to these recipients, or without any to all CLI listeners. */
  onResend: Publisher = () => {};
  /** True while a CLI listener needs the thin event of every snapshot event. */
  wantsThinEvents: () => boolean = () => false;
  /** The origin of the account's pages, without a slash at the end. */
  origin = "";

  readonly #changed = (put?: object & { id: string }) => {
    if (put) this.onPut(put);
    this.onChange();
  };

  readonly products = new Collection<Product>("product", this.#changed);
  readonly prices = new Collection<Price>("price", this.#changed);
  readonly coupons = new Collection<Coupon>("coupon", this.#changed);
  readonly deletedCoupons = new Collection<Coupon>("coupon", this.#changed);
  readonly couponDetails = new Collection<CouponDetails>("coupon", this.#changed);
  readonly promotionCodes = new Collection<PromotionCode>("promotion code", this.#changed);
  readonly discounts = new Collection<Discount>("discount", this.#changed);
  readonly taxIds = new Collection<TaxId>(
    "tax_id",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly taxRates = new Collection<TaxRate>("tax rate", this.#changed);
  readonly priceDetails = new Collection<PriceDetails>("price", this.#changed);
  readonly customers = new Collection<Customer>("customer", this.#changed);
  readonly deletedCustomers = new Collection<Deleted>("customer", this.#changed);
  readonly paymentMethods = new Collection<PaymentMethod>(
    "PaymentMethod",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly paymentIntents = new Collection<PaymentIntent>("payment_intent", this.#changed);
  readonly charges = new Collection<Charge>("charge", this.#changed);
  readonly pendingPayments = new Collection<PendingPayment>("payment", this.#changed);
  readonly refunds = new Collection<Refund>("refund", this.#changed);
  readonly disputes = new Collection<Dispute>("dispute", this.#changed);
  readonly creditNotes = new Collection<CreditNote>("credit note", this.#changed);
  readonly balanceTransactions = new Collection<CustomerBalanceTransaction>(
    "customer_balance_transaction",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly setupIntents = new Collection<SetupIntent>("setup_intent", this.#changed);
  readonly checkoutSessions = new Collection<CheckoutSession>("checkout.session", this.#changed);
  readonly checkoutOrders = new Collection<CheckoutOrder>("checkout.session", this.#changed);
  readonly subscriptions = new Collection<Subscription>(
    "subscription",
    this.#changed,
    { ownerOf: ({ customer }) => customer },
  );
  readonly subscriptionSchedules = new Collection<SubscriptionSchedule>(
    "subscription schedule",
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
  readonly advanceNotices = new Collection<AdvanceNotice>("advance notice", this.#changed);
  readonly settings = new Collection<BillingSettings & { id: "billing" }>("settings", this.#changed);
  readonly versions = new Collection<DefaultVersion>("version", this.#changed);
  readonly restrictedKeys = new Collection<RestrictedKey>("API key", this.#changed);
  /** Ids that exist in live mode only. Stripe says so when a request in test mode names one. */
  readonly liveObjects = new Collection<{ id: string }>("object", this.#changed);
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

  /** `now` returns the time in whole Unix seconds. */
  constructor(readonly now: () => number = () => Math.floor(Date.now() / 1000)) {}

  /** How failed payments are handled. The defaults apply until they are set. */
  get billingSettings(): BillingSettings {
    const { id: _, ...settings } = this.settings.find("billing") ??
      { id: "billing", ...defaultBillingSettings };
    return settings;
  }

  /** The account's own API version. The newest one unless it was set. */
  get defaultVersion(): string {
    return this.versions.find("default")?.version ?? apiVersion;
  }

  /** Sets the account's own API version. Events keep the version of their time. */
  set defaultVersion(version: string) {
    this.versions.put({ id: "default", version });
  }

  /** The test clock of an object: its own, or that of its customer or invoice. Undefined for real time. */
  clockOf(object: ClockOwned): TestClock | undefined {
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

  /** Stores an event and sends it to its recipients. Also publishes its thin event when a recipient listens to it. */
  publish(event: Event) {
    const endpoints = this.webhookEndpoints.oldestFirst().filter((endpoint) =>
      listensTo(endpoint, event.type)
    );
    const destinations = this.eventDestinations.oldestFirst();
    const receivers = destinations.filter((destination) => receivesSnapshots(destination, event.type));
    const recipients = [...endpoints, ...receivers].map(({ id }) => id);
    const published = this.events.put({ ...event, pending_webhooks: recipients.length });
    this.onEvent(published, recipients);
    const thin = { type: thinTypeOf(event.type), related_object: null };
    if (this.wantsThinEvents() || destinations.some((destination) => receivesThin(destination, thin))) {
      this.publishThin(thinEventFor(published));
    }
  }

  /** Stores a thin event and sends it to its recipients. */
  publishThin(event: ThinEvent) {
    const receivers = this.eventDestinations.oldestFirst().filter((destination) =>
      receivesThin(destination, event)
    );
    this.onEvent(this.thinEvents.put(event), receivers.map(({ id }) => id));
  }

  /** Every collection with its property name. This is the state that is saved and loaded. */
  collections(): [name: string, collection: Collection<{ id: string }>][] {
    return Object.entries(this).filter(([, value]) => value instanceof Collection);
  }
}
