import type Stripe from "stripe";
import type { Change } from "../../account/change.ts";
import type { Charge } from "../../objects/payment.ts";
import { newRefund, type Refund } from "../../objects/refund.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { formatAmount } from "../catalog/money.ts";

/** Refunds a charge, wholly unless an amount is given. Throws Stripe's 400s. */
export function refundCharge(
  change: Change,
  charge: Charge,
  { amount, metadata = {}, reason = null }: {
    amount?: number;
    metadata?: Stripe.Metadata;
    reason?: Stripe.Refund.Reason | null;
  },
): Refund {
  const { account } = change;
  const left = charge.amount_captured - charge.amount_refunded;
  const refunded = amount ?? left;
  checkRefund(charge, refunded, left);
  const after = account.charges.put({
    ...charge,
    amount_refunded: charge.amount_refunded + refunded,
    refunded: refunded === left,
  });
  const refund = account.refunds.put(newRefund(change.now, { amount: refunded, charge, metadata, reason }));
  change.emit("charge.refunded", after, charge);
  change.emit("refund.created", refund);
  return refund;
}

function checkRefund(charge: Charge, amount: number, left: number) {
  if (!charge.paid) {
    throw invalidRequest(`This charge (${charge.id}) has not been paid and cannot be refunded.`, {
      param: "charge",
    });
  }
  if (charge.disputed) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: "charge_disputed",
      param: "charge",
    });
  }
  if (left === 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, {
      code: "charge_already_refunded",
      param: "charge",
    });
  }
  if (amount <= left) return;
  const [wanted, unrefunded] = [amount, left].map((value) => formatAmount(value, charge.currency));
  throw invalidRequest(
    `Refund amount (${wanted}) is greater than unrefunded amount on charge (${unrefunded})`,
    {
      code: "amount_too_large",
      param: "amount",
    },
  );
}
