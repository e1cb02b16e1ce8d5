import type { Change } from "../../account/change.ts";
import type { CheckoutSession, PaymentTerms } from "../../objects/checkout_session.ts";
import type { Customer } from "../../objects/customer.ts";
import { newPayment, newPaymentIntent } from "../../objects/payment.ts";
import { cardOf } from "../payments/card_verdict.ts";
import { emitAttempt, tryCard } from "../payments/payment_collection.ts";
import { redeem } from "../discounts/redemption.ts";
import { addTaxId } from "../taxes/customer_tax_ids.ts";
import type { CheckoutAttempt } from "./checkout_completion.ts";
import { completeSession, optionalCustomer, storeMethodOfAttempt } from "./checkout_completion.ts";
import { couponsOfOrder } from "./order_quote.ts";

/** Completes a session in payment mode. When nothing is due, nothing is charged. */
export function completePayment(
  change: Change,
  session: CheckoutSession,
  terms: PaymentTerms,
  attempt: CheckoutAttempt,
): CheckoutSession {
  const customer = optionalCustomer(change, session, attempt.payer);
  const intent = session.amount_total ? charge(change, session, terms, attempt, customer) : null;
  const order = change.account.checkoutOrders.get(session.id);
  if (customer && attempt.taxId) addTaxId(change, customer.id, attempt.taxId, "tax_id");
  for (const coupon of customer ? couponsOfOrder(change.account, order) : []) {
    redeem(change, coupon, { customer: customer?.id ?? "", checkoutSession: session.id });
  }
  const completed = completeSession(change, session, attempt, {
    customer: customer?.id ?? null,
    payment_intent: intent,
  }, change.account.pendingPayments.find(intent ?? "") !== undefined);
  change.emit("checkout.session.completed", completed);
  return completed;
}

/** Charges the card. Returns the id of the payment intent. */
function charge(
  change: Change,
  session: CheckoutSession,
  terms: PaymentTerms,
  attempt: CheckoutAttempt,
  customer: Customer | null,
): string {
  const { account, now } = change;
  const savedFor = terms.savesCard ? customer : null;
  const method = storeMethodOfAttempt(change, attempt, savedFor?.id ?? null);
  const fields = {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? "usd",
    customer: customer?.id ?? null,
    method,
    ...terms,
  };
  if (cardOf(method).settles) {
    const open = account.paymentIntents.put(newPaymentIntent(now, fields));
    change.emit("payment_intent.created", open);
    const attempt = tryCard(change, open, method, "authenticated");
    emitAttempt(change, attempt);
    return attempt.intent.id;
  }
  const payment = newPayment(now, fields);
  change.emit("charge.succeeded", account.charges.put(payment.charge));
  if (savedFor) change.emit("payment_method.attached", method);
  change.emit("payment_intent.succeeded", account.paymentIntents.put(payment.intent));
  change.emit("payment_intent.created", payment.intent);
  return payment.intent.id;
}
