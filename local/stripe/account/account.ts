import type { CheckoutOrder, CheckoutSession } from "../objects/checkout_session.ts";
import type { Customer } from "../objects/customer.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { Charge, InvoicePayment, PaymentIntent } from "../objects/payment.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import type { PortalConfiguration, PortalSession } from "../objects/portal.ts";
import type { Price } from "../objects/price.ts";
import type { Product } from "../objects/product.ts";
import type { Deleted } from "../objects/stored.ts";
import type { Subscription } from "../objects/subscription.ts";
import { listensTo, type WebhookEndpoint } from "../objects/webhook_endpoint.ts";
import { Collection } from "./collection.ts";

/** Carries a published event to the endpoints that listen to it. */
export type Publisher = (event: Event, endpoints: WebhookEndpoint[]) => void;

/** One simulated Stripe account in test mode: everything it knows, and what time it is there. */
export class Account {
  /** Called after every change of state, so that it can be saved. */
  onChange: () => void = () => {};
  /** Called once for each event, after it is part of the state. */
  onEvent: Publisher = () => {};
  /** Where the account's pages are, without a slash at the end. */
  origin = "";

  readonly #changed = () => this.onChange();

  readonly products = new Collection<Product>("product", this.#changed);
  readonly prices = new Collection<Price>("price", this.#changed);
  readonly customers = new Collection<Customer>("customer", this.#changed);
  readonly deletedCustomers = new Collection<Deleted>("customer", this.#changed);
  readonly paymentMethods = new Collection<PaymentMethod>("PaymentMethod", this.#changed);
  readonly paymentIntents = new Collection<PaymentIntent>("payment_intent", this.#changed);
  readonly charges = new Collection<Charge>("charge", this.#changed);
  readonly checkoutSessions = new Collection<CheckoutSession>("checkout.session", this.#changed);
  readonly checkoutOrders = new Collection<CheckoutOrder>("checkout.session", this.#changed);
  readonly subscriptions = new Collection<Subscription>("subscription", this.#changed);
  readonly invoices = new Collection<Invoice>("invoice", this.#changed);
  readonly invoicePayments = new Collection<InvoicePayment>("invoice payment", this.#changed);
  readonly portalConfigurations = new Collection<PortalConfiguration>("configuration", this.#changed);
  readonly portalSessions = new Collection<PortalSession>("portal session", this.#changed);
  readonly webhookEndpoints = new Collection<WebhookEndpoint>("webhook endpoint", this.#changed);
  readonly events = new Collection<Event>("event", this.#changed);
  readonly deliveries = new Collection<Delivery>("delivery", this.#changed);

  /** `now` tells the time in whole seconds since 1970. */
  constructor(readonly now: () => number = () => Math.floor(Date.now() / 1000)) {}

  /** Makes an event part of the account's history and sends it on its way. */
  publish(event: Event) {
    const endpoints = this.webhookEndpoints.oldestFirst().filter((endpoint) =>
      listensTo(endpoint, event.type)
    );
    const published = this.events.put({ ...event, pending_webhooks: endpoints.length });
    this.onEvent(published, endpoints);
  }

  /** Every collection by its name: what is saved and loaded. */
  collections(): [name: string, collection: Collection<{ id: string }>][] {
    return Object.entries(this).filter(([, value]) => value instanceof Collection);
  }
}
