import type { Account } from "../account/account.ts";
import type { OrderedItem } from "../objects/checkout_session.ts";
import { newId } from "../objects/ids.ts";
import { invalidRequest } from "../protocol/errors.ts";
import { priceInAdvance } from "./invoicing.ts";

/** The lines of an order, each price looked up and each quantity checked. Throws Stripe's 400s. */
export function orderItems(account: Account, lines: { price: string; quantity?: number }[]): OrderedItem[] {
  return lines.map(({ price: id, quantity }, index) => {
    const param = `line_items[${index}]`;
    const price = account.prices.getReferenced(id, `${param}[price]`);
    if (!price.active) {
      const message = "The price specified is inactive. This field only accepts active prices.";
      throw invalidRequest(message, { param: `${param}[price]` });
    }
    const isMetered = price.recurring?.usage_type === "metered";
    if (isMetered && quantity !== undefined) {
      const message = "Quantity should not be specified where usage_type is `metered`. " +
        `Remove quantity from \`${param}\``;
      throw invalidRequest(message, { param });
    }
    if (!isMetered && quantity === undefined) {
      throw invalidRequest(`Quantity is required. Add \`quantity\` to \`${param}\``, {
        param: `${param}[quantity]`,
      });
    }
    return { id: newId("li"), price: id, quantity };
  });
}

/** Refuses an order that cannot become one subscription. The answer is the order's currency. */
export function rejectUnlessSellable(account: Account, items: OrderedItem[]): string {
  const prices = items.map((item) => account.prices.get(item.price));
  if (!prices.some((price) => price.recurring)) {
    throw invalidRequest(
      "You must provide at least one recurring price in `subscription` mode when using prices.",
      {
        param: "line_items",
      },
    );
  }
  if (prices.some((price) => !price.recurring)) {
    throw invalidRequest("The Stripe simulator does not simulate one-time prices beside recurring ones.", {
      param: "line_items",
    });
  }
  const [{ currency }] = prices;
  if (prices.some((price) => price.currency !== currency)) {
    throw invalidRequest("All prices on a Checkout session must be in the same currency.", {
      param: "line_items",
    });
  }
  return currency;
}

/** What the whole order costs in advance. */
export function orderedAmount(account: Account, items: OrderedItem[]): number {
  return items.reduce((sum, item) => sum + priceInAdvance(account.prices.get(item.price), item.quantity), 0);
}
