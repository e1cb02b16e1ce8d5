import type { Account } from "../../account/account.ts";
import type { Price } from "../../objects/price.ts";

/** True when a price can be charged in a currency: its own, or one of its `currency_options`. */
export function hasCurrency(account: Account, price: Price, currency: string): boolean {
  return price.currency === currency ||
    account.priceDetails.find(price.id)?.currencyOptions[currency] !== undefined;
}

/**
 * The price with its amounts in a currency (https://docs.stripe.com/api/prices/object#price_object-currency_options).
 * Unchanged when the price has no amounts in it.
 */
export function inCurrency<P extends Price>(account: Account, price: P, currency: string): P {
  if (price.currency === currency) return price;
  const option = account.priceDetails.find(price.id)?.currencyOptions[currency];
  if (!option) return price;
  const { tiers, unit_amount, unit_amount_decimal, tax_behavior } = option;
  return { ...price, currency, tax_behavior, unit_amount, unit_amount_decimal, ...(tiers ? { tiers } : {}) };
}

/** The currencies in which all these prices can be charged, the first price's own first. */
export function commonCurrencies(account: Account, prices: Price[]): string[] {
  const [first] = prices;
  if (!first) return [];
  const options = Object.keys(account.priceDetails.find(first.id)?.currencyOptions ?? {});
  return [first.currency, ...options].filter((currency, index, all) =>
    all.indexOf(currency) === index && prices.every((price) => hasCurrency(account, price, currency))
  );
}
