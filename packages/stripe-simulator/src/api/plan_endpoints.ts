import { z } from "zod";
import type { Account } from "../account/account.ts";
import { deletePrice, storeNewPrice, updatePrice } from "../behaviour/catalog/price_update.ts";
import { createProduct } from "../behaviour/catalog/product_creation.ts";
import { isRecurring, newPrice, planOf, type RecurringPrice } from "../objects/price.ts";
import { missingParameter, noSuch } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  clearable,
  currency,
  decimal,
  integer,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
} from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/plans";

/** Plans are the former API of recurring prices. Deleting a plan is the only way to delete a price by API. */
export const planEndpoints = [
  endpoint(`POST ${path}`, {
    active: boolean().optional(),
    amount: integer({ min: 0 }).optional(),
    amount_decimal: decimal().optional(),
    currency: currency(),
    id: text().optional(),
    interval: oneOf("day", "week", "month", "year"),
    interval_count: integer({ min: 1 }).default(1),
    metadata: metadata().optional(),
    meter: text().optional(),
    nickname: text().optional(),
    product: z.union([text(), z.strictObject({ name: text(), id: text().optional() })]),
    usage_type: oneOf("licensed", "metered").default("licensed"),
  }, ({ account, change, params }) => {
    const { amount, amount_decimal: exact, interval, interval_count, meter = null, product, usage_type } =
      params;
    const unit = exact ?? amount?.toString();
    if (unit === undefined) throw missingParameter("amount");
    if (typeof product === "string") account.products.getReferenced(product, "product");
    const price = newPrice(change.now, {
      active: params.active,
      currency: params.currency,
      metadata: mergeMetadata({}, params.metadata),
      nickname: params.nickname,
      product: typeof product === "string" ? product : createProduct(change, product).id,
      recurring: { interval, interval_count, meter, trial_period_days: null, usage_type },
      unit_amount: Number.isInteger(Number(unit)) ? Number(unit) : null,
      unit_amount_decimal: unit,
    });
    return planOf(asRecurring(storeNewPrice(change, { ...price, id: params.id ?? price.id })));
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    active: boolean().optional(),
    created: timeFilter().optional(),
    product: text().optional(),
  }, ({ account, params }) => {
    const found = account.prices.newestFirst().filter(isRecurring).filter((price) =>
      (params.active === undefined || price.active === params.active) &&
      (params.product === undefined || price.product === params.product) &&
      passes(price.created, params.created)
    );
    return paginate(found.map(planOf), params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => planOf(find(account, id))),

  endpoint(`POST ${path}/:id`, {
    active: boolean().optional(),
    metadata: metadata().optional(),
    nickname: clearable(text()).optional(),
    product: text().optional(),
  }, ({ account, change, params, id }) => {
    const before = find(account, id);
    if (params.product) account.products.getReferenced(params.product, "product");
    const after = { ...before, ...params, metadata: mergeMetadata(before.metadata, params.metadata) };
    return planOf(asRecurring(updatePrice(change, before, after)));
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, change, id }) => {
    deletePrice(change, find(account, id));
    return { id, object: "plan", deleted: true };
  }),
];

function find(account: Account, id: string): RecurringPrice {
  const price = account.prices.find(id);
  if (!price || !isRecurring(price)) throw noSuch("plan", id, "path");
  return price;
}

function asRecurring(price: ReturnType<typeof updatePrice>): RecurringPrice {
  if (!isRecurring(price)) throw new Error(`${price.id} is not recurring`);
  return price;
}
