import type { Change } from "../account/change.ts";
import type { CheckoutOrder, CheckoutSession } from "../objects/checkout_session.ts";
import { type Customer, newCustomer } from "../objects/customer.ts";
import { newPaymentMethod, type Payer, type PaymentMethod } from "../objects/payment_method.ts";
import type { Period } from "../objects/subscription.ts";
import { invalidRequest } from "../protocol/errors.ts";
import { cardError, type TestCard } from "./cards.ts";
import { type NewSubscription, subscribe } from "./subscribe.ts";

const daySeconds = 86_400;

/**
 * Completes an open session: the customer's card, the subscription and its first invoice come into being, all in one
 * second, and Stripe's events go out in the order in which it sends them. A declined card throws its 402 and leaves
 * nothing behind, so that another card can be tried.
 *
 * `card` is null where the session asks for none: nothing is due and `payment_method_collection` is `if_required`.
 */
export function payCheckout(change: Change, session: CheckoutSession, card: TestCard | null, payer: Payer) {
  const { account } = change;
  if (session.status !== "open") throw notOpen(session);
  if (!card && needsCard(session)) throw invalidRequest("This session needs a card.", { param: "card" });
  const decline = session.amount_total ? card?.charge : card?.attach;
  if (decline) throw cardError(decline);

  const order = account.checkoutOrders.get(session.id);
  const before = session.customer === null
    ? null
    : account.customers.getReferenced(session.customer, "customer");
  const customer = before ?? newCustomer(change.now, { email: payer.email, name: payer.name });
  const method = card ? newPaymentMethod(change.now, { card, payer, customer: customer.id }) : null;
  if (method) account.paymentMethods.put(method);
  const started = subscribe(change, {
    customer: withCheckoutDetails(customer, session, order, payer),
    items: order.items,
    method,
    trial: trialOf(order, change.now),
    terms: order.subscription,
  });
  const completed = account.checkoutSessions.put(complete(session, started, payer));
  emitCompletion(change, { before, customer, method, completed, started });
  return completed;
}

/** Ends an open session without a purchase. */
export function expireCheckout(change: Change, session: CheckoutSession): CheckoutSession {
  if (session.status !== "open") throw notOpen(session);
  const expired = change.account.checkoutSessions.put({ ...session, status: "expired", url: null });
  change.emit("checkout.session.expired", expired);
  return expired;
}

/** True when the session cannot be completed without a card. */
export function needsCard(session: CheckoutSession): boolean {
  return session.payment_method_collection !== "if_required" || (session.amount_total ?? 0) > 0;
}

/** The trial that begins when the order is completed now. */
export function trialOf(order: CheckoutOrder, now: number): Period | null {
  const { trial } = order.subscription;
  if (trial === null) return null;
  return { start: now, end: "days" in trial ? now + trial.days * daySeconds : trial.end };
}

function withCheckoutDetails(
  customer: Customer,
  session: CheckoutSession,
  order: CheckoutOrder,
  payer: Payer,
): Customer {
  const name = order.updatesCustomerName ? payer.name ?? customer.name : customer.name;
  return { ...customer, name, currency: session.currency };
}

function complete(session: CheckoutSession, started: NewSubscription, payer: Payer): CheckoutSession {
  const { customer, subscription, invoice } = started;
  return {
    ...session,
    collected_information: { business_name: null, individual_name: null, shipping_details: null },
    customer: customer.id,
    customer_details: {
      address: null,
      business_name: null,
      email: payer.email,
      individual_name: null,
      name: payer.name,
      phone: null,
      tax_exempt: "none",
      tax_ids: [],
    },
    invoice: invoice.paid.id,
    payment_status: session.amount_total ? "paid" : "no_payment_required",
    status: "complete",
    subscription: subscription.id,
    url: null,
  };
}

interface Completion {
  /** The customer before the checkout, null when the checkout made it. */
  before: Customer | null;
  customer: Customer;
  method: PaymentMethod | null;
  completed: CheckoutSession;
  started: NewSubscription;
}

/** The order is that of real deliveries; a new customer and an existing one differ in it. */
function emitCompletion(change: Change, { before, customer, method, completed, started }: Completion) {
  const { subscription, invoice, payment } = started;
  if (payment) change.emit("charge.succeeded", payment.charge);
  if (method) change.emit("payment_method.attached", method);
  if (before) {
    change.emit("checkout.session.completed", completed);
    change.emit("customer.updated", started.customer, before);
  } else {
    change.emit("customer.created", customer);
    change.emit("customer.updated", started.customer, customer);
    change.emit("checkout.session.completed", completed);
  }
  change.emit("customer.subscription.created", subscription);
  if (payment) {
    change.emit("payment_intent.succeeded", payment.intent);
    change.emit("payment_intent.created", payment.intent);
  }
  change.emit("invoice.created", invoice.draft);
  change.emit("invoice.finalized", invoice.finalized);
  change.emit("invoice.paid", invoice.paid);
  change.emit("invoice.payment_succeeded", invoice.paid);
  if (payment) change.emit("invoice_payment.paid", payment.invoicePayment);
}

function notOpen(session: CheckoutSession) {
  return invalidRequest(
    `Only Checkout Sessions with a status in ["open"] can be changed. This one has a status of ${session.status}.`,
  );
}
