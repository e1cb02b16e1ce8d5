import type { Change } from "../../account/change.ts";
import type { CheckoutOrder, CheckoutSession } from "../../objects/checkout_session.ts";
import { type Customer, newCustomer } from "../../objects/customer.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { checkoutPaymentOptions, type Period } from "../../objects/subscription.ts";
import { addTaxId } from "../taxes/customer_tax_ids.ts";
import { emitStart, type NewSubscription, subscribe } from "../subscriptions/subscription_start.ts";
import type { CheckoutAttempt } from "./checkout_completion.ts";
import { completeSession, knownCustomer, storeMethodOfAttempt } from "./checkout_completion.ts";
import { couponsOfOrder } from "./order_quote.ts";

/** Completes a session in subscription mode: creates customer, payment method, subscription and first invoice. */
export function completeSubscription(
  change: Change,
  session: CheckoutSession,
  order: CheckoutOrder,
  { trial, ...attempt }: CheckoutAttempt & { trial: Period | null },
): CheckoutSession {
  const { terms } = order;
  const { payer } = attempt;
  if (terms.mode !== "subscription") throw new Error(`${session.id} is not for a subscription`);
  const before = knownCustomer(change, session);
  const customer = before ?? newCustomer(change.now, {
    address: payer.address,
    email: payer.email,
    name: payer.name,
  });
  const detailed = withCheckoutDetails(customer, session, order, attempt);
  if (attempt.taxId) addTaxId(change, customer.id, attempt.taxId, "tax_id");
  const method = attempt.card ? storeMethodOfAttempt(change, attempt, customer.id) : null;
  const started = subscribe(change, {
    customer: detailed,
    items: order.items,
    method,
    trial,
    terms: { ...terms, isTaxed: order.isTaxed, paymentMethodOptions: checkoutPaymentOptions },
    coupons: couponsOfOrder(change.account, order),
    currency: session.currency ?? undefined,
    session: session.id,
    payment: method && { method, presence: "authenticated" },
  });
  const completed = completeSession(change, session, attempt, {
    customer: started.customer.id,
    invoice: started.invoice.current.id,
    subscription: started.subscription.id,
  }, started.payment?.attempt?.outcome === "processing");
  emitCompletion(change, { before, customer, method, completed, started });
  return completed;
}

function withCheckoutDetails(
  customer: Customer,
  session: CheckoutSession,
  order: CheckoutOrder,
  { businessName, payer }: CheckoutAttempt,
): Customer {
  const name = order.updatesCustomerName ? businessName ?? payer.name ?? customer.name : customer.name;
  const address = order.savesAddress ? payer.address ?? customer.address : customer.address;
  return { ...customer, address, name, currency: session.currency };
}

interface Completion {
  /** The customer before the checkout. Null when the checkout created it. */
  before: Customer | null;
  customer: Customer;
  method: PaymentMethod | null;
  completed: CheckoutSession;
  started: NewSubscription;
}

/** Emits the events in the order of real deliveries, which differs between new and existing customers. */
function emitCompletion(change: Change, { before, customer, method, completed, started }: Completion) {
  const charge = started.payment?.attempt?.charge;
  if (charge) change.emit(charge.paid ? "charge.succeeded" : "charge.pending", charge);
  if (method) change.emit("payment_method.attached", method);
  if (before) {
    change.emit("checkout.session.completed", completed);
    change.emit("customer.updated", started.customer, before);
  } else {
    change.emit("customer.created", customer);
    change.emit("customer.updated", started.customer, customer);
    change.emit("checkout.session.completed", completed);
  }
  emitStart(change, started);
}
