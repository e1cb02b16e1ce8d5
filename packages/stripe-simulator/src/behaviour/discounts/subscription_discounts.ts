import type { Change } from "../../account/change.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { redeem, redeemable, type WantedDiscount } from "./redemption.ts";

/**
 * The discounts of a subscription after a request: those named by their id stay, the others end, coupons and
 * promotion codes are redeemed. Null removes all. Throws a 400 for one that cannot be redeemed.
 */
export function changedDiscounts(
  change: Change,
  subscription: Pick<Subscription, "customer" | "currency" | "discounts" | "id">,
  wanted: WantedDiscount[] | null | undefined,
): string[] {
  const { account } = change;
  const before = subscription.discounts.map(String);
  if (wanted === undefined) return before;
  const { customer, currency, id } = subscription;
  const redeemer = { customer, currency, amount: null };
  const checked = (wanted ?? []).map((one, index) => {
    const param = `discounts[${index}]`;
    return one.discount
      ? account.discounts.getReferenced(one.discount, `${param}[discount]`)
      : redeemable(change, one, param, redeemer);
  });
  const after = checked.map((one) => {
    if ("id" in one) return one.id;
    const discount = redeem(change, one, { customer, subscription: id });
    change.emit("customer.discount.created", discount);
    return discount.id;
  });
  for (const gone of before.filter((discount) => !after.includes(discount))) {
    change.emit("customer.discount.deleted", account.discounts.get(gone));
  }
  return after;
}
