import type { Account } from "../account/account.ts";
import { formatPrice } from "../behaviour/catalog/money.ts";
import { inCurrency } from "../behaviour/catalog/presentment.ts";
import type { Price } from "../objects/price.ts";
import type { Subscription } from "../objects/subscription.ts";

const dayFormat = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "UTC" });
const secondFormat = new Intl.DateTimeFormat("en-US", {
  dateStyle: "medium",
  timeStyle: "medium",
  timeZone: "UTC",
});

/** `Dec 22, 2026` */
export function formatDay(seconds: number): string {
  return dayFormat.format(seconds * 1000);
}

/** `Dec 22, 2026, 10:15:00 AM`, in UTC. */
export function formatSecond(seconds: number): string {
  return secondFormat.format(seconds * 1000);
}

/** Formats a time given in seconds (v1) or as ISO 8601 (v2). */
export function formatMoment(moment: number | string): string {
  return formatSecond(typeof moment === "number" ? moment : Date.parse(moment) / 1000);
}

export function productName(account: Account, price: Price): string {
  return account.products.find(price.product)?.name ?? price.product;
}

/** The items of a subscription: `Pro, $15.00 / month`. */
export function describePlan(account: Account, subscription: Subscription): string {
  return subscription.items.data.map(({ price }) =>
    `${productName(account, price)}, ${formatPrice(inCurrency(account, price, subscription.currency))}`
  ).join("; ");
}

/** The host of a URL. */
export function siteOf(address: string): string {
  return new URL(address).host;
}
