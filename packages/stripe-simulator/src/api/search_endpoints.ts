import type { Account } from "../account/account.ts";
import type { Collection } from "../account/collection.ts";
import { invalidRequest } from "../wire/errors.ts";
import { integer, text } from "../wire/params.ts";
import { parseQuery } from "../wire/search_query.ts";
import { endpoint } from "./endpoint.ts";

/** What can be searched by, for each resource (https://docs.stripe.com/search#supported-query-fields-for-each-resource). */
const searchable: [name: string, of: (account: Account) => Collection<{ id: string }>, fields: string[]][] = [
  ["charges", ({ charges }) => charges, [
    "amount",
    "created",
    "currency",
    "customer",
    "metadata",
    "refunded",
    "status",
  ]],
  ["customers", ({ customers }) => customers, ["created", "email", "metadata", "name", "phone"]],
  ["invoices", ({ invoices }) => invoices, [
    "created",
    "currency",
    "customer",
    "metadata",
    "number",
    "receipt_number",
    "status",
    "subscription",
    "total",
  ]],
  ["payment_intents", ({ paymentIntents }) => paymentIntents, [
    "amount",
    "created",
    "currency",
    "customer",
    "metadata",
    "status",
  ]],
  ["prices", ({ prices }) => prices, ["active", "currency", "lookup_key", "metadata", "product", "type"]],
  ["products", ({ products }) => products, [
    "active",
    "description",
    "metadata",
    "name",
    "shippable",
    "url",
  ]],
  ["subscriptions", ({ subscriptions }) => subscriptions, [
    "canceled_at",
    "created",
    "metadata",
    "status",
  ]],
];

/** Searches. Stripe finds a new object after a while only; here it is found at once. */
export const searchEndpoints = searchable.map(([name, collectionOf, fields]) =>
  endpoint(`GET /v1/${name}/search`, {
    limit: integer({ min: 1, max: 100 }).default(10),
    page: text().optional(),
    query: text(),
  }, ({ account, params }) => {
    const matches = parseQuery(params.query, [...fields, "metadata[]"]);
    const found = collectionOf(account).newestFirst().filter((object) => matches(searchedForm(object)));
    const start = params.page === undefined ? 0 : readPage(params.page);
    const end = start + params.limit;
    return {
      object: "search_result",
      data: found.slice(start, end),
      has_more: found.length > end,
      next_page: found.length > end ? btoa(String(end)) : null,
      url: `/v1/${name}/search`,
    };
  })
);

/** An invoice is searched by its subscription, which it names in its parent. */
function searchedForm(object: object): object {
  const parent: unknown = Reflect.get(object, "parent");
  if (typeof parent !== "object" || parent === null || !("subscription_details" in parent)) return object;
  return { ...object, ...Object(parent.subscription_details), metadata: Reflect.get(object, "metadata") };
}

function readPage(page: string): number {
  try {
    const start = Number(atob(page));
    if (Number.isInteger(start) && start >= 0) return start;
  } catch {
    // Not one of our pages.
  }
  throw invalidRequest(`Invalid page: ${page}`, { param: "page" });
}
