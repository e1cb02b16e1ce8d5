import type { Account } from "../../account/account.ts";
import type { OrderedItem } from "../../objects/checkout_session.ts";
import { newId } from "../../objects/ids.ts";
import type { Price } from "../../objects/price.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { commonCurrencies, hasCurrency, inCurrency } from "./presentment.ts";
import { priceInAdvance } from "../invoices/invoice_lines.ts";

/** Reads the items of an order: looks up each price and checks each quantity. Throws Stripe's 400s. */
export function orderItems(
  account: Account,
  lines: { price: string; quantity?: number }[],
  name: "line_items" | "items" = "line_items",
): OrderedItem[] {
  return lines.map(({ price: id, quantity }, index) => {
    const param = `${name}[${index}]`;
    const price = account.prices.getReferenced(id, `${param}[price]`);
    if (!price.active) {
      const message = "The price specified is inactive. This field only accepts active prices.";
      throw invalidRequest(message, { param: `${param}[price]` });
    }
    rejectInactiveProduct(account, price, `${param}[price]`);
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

/** Throws a 400 for a price whose product is archived. The price itself can still be active. */
export function rejectInactiveProduct(account: Account, price: Price, param: string) {
  if (account.products.find(price.product)?.active !== false) return;
  throw invalidRequest(
    param.startsWith("line_items")
      ? `Price \`${price.id}\` is not available to be purchased because its product is not active.`
      : `The product ${price.product} is marked as inactive, and thus no new subscriptions can be created to any ` +
        `plans of this product. You provided the plan ${price.id}.`,
    { param },
  );
}

/**
 * Returns the currency of an order: the wanted one, else that of the prices. Throws a 400 when the prices cannot be
 * charged in one currency or cannot be sold in this mode.
 */
export function sellableCurrency(
  account: Account,
  items: OrderedItem[],
  mode: "payment" | "subscription",
  wanted?: string | null,
): string {
  const prices = items.map((item) => account.prices.get(item.price));
  if (mode === "payment") rejectRecurring(prices);
  else rejectOneTime(prices);
  const [currency] = commonCurrencies(account, prices);
  if (wanted) {
    const other = prices.findIndex((price) => !hasCurrency(account, price, wanted));
    if (other < 0) return wanted;
    throw cannotSell(`The price \`${prices[other].id}\` is not available in \`${wanted}\`.`);
  }
  if (currency === undefined) {
    throw cannotSell("All prices on a Checkout session must be in the same currency.");
  }
  return currency;
}

function rejectRecurring(prices: Price[]) {
  if (!prices.some((price) => price.recurring)) return;
  throw cannotSell(
    "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only " +
      "one-time prices.",
  );
}

function rejectOneTime(prices: Price[]) {
  if (!prices.some((price) => price.recurring)) {
    throw cannotSell(
      "You must provide at least one recurring price in `subscription` mode when using prices.",
    );
  }
  if (prices.filter((price) => price.recurring).length > mostRecurring) {
    throw cannotSell(`You can specify at most ${mostRecurring} recurring prices.`);
  }
}

function cannotSell(message: string) {
  return invalidRequest(message, { param: "line_items" });
}

/** https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items */
const mostRecurring = 20;

/** The part of an order that is paid once, also during a trial. */
export function paidOnce(account: Account, items: OrderedItem[]): OrderedItem[] {
  return items.filter(({ price }) => !account.prices.get(price).recurring);
}

/** The total of an order in the smallest unit of its currency, without metered usage. */
export function orderedAmount(account: Account, items: OrderedItem[], currency: string): number {
  return items.reduce((sum, item) => {
    return sum + priceInAdvance(inCurrency(account, account.prices.get(item.price), currency), item.quantity);
  }, 0);
}
