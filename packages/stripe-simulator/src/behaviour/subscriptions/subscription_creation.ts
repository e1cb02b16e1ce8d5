import type { Change } from "../../account/change.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { cardMissing, type Presence, refusal } from "../payments/card_verdict.ts";
import { methodForSubscription } from "../payments/payment_collection.ts";
import type { PaymentBehavior } from "./plan_change.ts";
import { emitStart, planSubscription, subscribe, type SubscribeOrder } from "./subscription_start.ts";

/**
 * Creates a subscription as the API does: charges its payment method or leaves the first invoice open, as `behavior`
 * says. Throws a 400 when there is no card, and a 402 when `behavior` is `error_if_incomplete` and the card is
 * declined.
 */
export function createSubscription(
  change: Change,
  order: Omit<SubscribeOrder, "payment">,
  { behavior, presence }: { behavior: PaymentBehavior; presence: Presence },
): Subscription {
  if (behavior === "pending_if_incomplete") {
    throw invalidRequest(
      "`payment_behavior=pending_if_incomplete` cannot be used to create a subscription.",
      {
        param: "payment_behavior",
      },
    );
  }
  const { draft } = planSubscription(change, { ...order, payment: null });
  const payment = draft.amount_due > 0 && behavior !== "default_incomplete"
    ? paymentOf(change, order, { behavior, presence })
    : null;
  const isFirst = order.customer.currency === null;
  const customer = { ...order.customer, currency: order.customer.currency ?? draft.currency };
  const started = subscribe(change, { ...order, customer, payment });
  const charge = started.payment?.attempt?.charge;
  if (charge) change.emit(charge.paid ? "charge.succeeded" : "charge.failed", charge);
  if (isFirst) change.emit("customer.updated", started.customer, order.customer);
  emitStart(change, started);
  return started.subscription;
}

function paymentOf(
  change: Change,
  order: Omit<SubscribeOrder, "payment">,
  { behavior, presence }: { behavior: PaymentBehavior; presence: Presence },
) {
  const method = methodForSubscription(change.account, {
    customer: order.customer.id,
    default_payment_method: order.method?.id ?? null,
  });
  if (!method) throw cardMissing();
  const error = behavior === "error_if_incomplete" ? refusal(method, presence) : null;
  if (error) throw error;
  return { method, presence };
}
