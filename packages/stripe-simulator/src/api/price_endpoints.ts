import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { releaseLookupKey, storeNewPrice, updatePrice } from "../behaviour/catalog/price_update.ts";
import { createProduct } from "../behaviour/catalog/product_creation.ts";
import { type CurrencyOption, newPrice, type Price, type Recurring } from "../objects/price.ts";
import type { Product } from "../objects/product.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  clearable,
  currency,
  decimal,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
} from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";
import { tierParams, tiersOf } from "./price_tier_params.ts";

const interval = oneOf("day", "week", "month", "year");
const lookupKey = text(200);

const recurring = z.strictObject({
  interval,
  interval_count: integer({ min: 1 }).default(1),
  meter: text().optional(),
  usage_type: oneOf("licensed", "metered").default("licensed"),
});
type RecurringParams = z.output<typeof recurring>;

const productData = z.strictObject({
  active: boolean().optional(),
  id: text().optional(),
  metadata: metadata().optional(),
  name: text(),
  unit_label: text(12).optional(),
});

const taxBehavior = oneOf("exclusive", "inclusive", "unspecified");

const currencyOption = z.strictObject({
  tax_behavior: taxBehavior.optional(),
  tiers: tierParams.tiers,
  unit_amount: integer({ min: 0 }).optional(),
  unit_amount_decimal: decimal().optional(),
});

export const priceEndpoints = [
  endpoint("POST /v1/prices", {
    active: boolean().optional(),
    currency: currency(),
    currency_options: z.record(currency(), currencyOption).optional(),
    lookup_key: lookupKey.optional(),
    metadata: metadata().optional(),
    nickname: text().optional(),
    product: text().optional(),
    product_data: productData.optional(),
    recurring: recurring.optional(),
    tax_behavior: taxBehavior.optional(),
    transfer_lookup_key: boolean().default(false),
    unit_amount: integer({ min: 0 }).optional(),
    unit_amount_decimal: decimal().optional(),
    ...tierParams,
  }, ({ account, change, params }) => {
    const {
      currency_options: options,
      product,
      product_data: data,
      transfer_lookup_key: transfer,
      ...fields
    } = params;
    const tiers = tiersOf(params, amountOf);
    if (product) account.products.getReferenced(product, "product");
    if (params.lookup_key) releaseLookupKey(change, params.lookup_key, transfer);
    const price = newPrice(change.now, {
      ...fields,
      product: product ?? makeProduct(change, data).id,
      ...(tiers ? { unit_amount: null, unit_amount_decimal: null } : amountOf(params)),
      tiers,
      metadata: mergeMetadata({}, params.metadata),
      recurring: params.recurring ? recurringOf(account, params.recurring) : null,
    });
    account.priceDetails.put({
      id: price.id,
      currencyOptions: optionsOf({ ...options, [price.currency]: undefined }),
    });
    return storeNewPrice(change, price);
  }),

  endpoint("GET /v1/prices", {
    ...pagination,
    active: boolean().optional(),
    created: timeFilter().optional(),
    currency: currency().optional(),
    lookup_keys: list(lookupKey).optional(),
    product: text().optional(),
    recurring: z.strictObject({
      interval: interval.optional(),
      meter: text().optional(),
      usage_type: oneOf("licensed", "metered").optional(),
    }).optional(),
    type: oneOf("one_time", "recurring").optional(),
  }, ({ account, params }) => {
    if ((params.lookup_keys?.length ?? 0) > 10) {
      throw invalidRequest("You may only specify up to 10 lookup keys.", { param: "lookup_keys" });
    }
    const found = account.prices.newestFirst().filter((price) =>
      (params.active === undefined || price.active === params.active) &&
      (params.currency === undefined || price.currency === params.currency) &&
      (params.lookup_keys === undefined || params.lookup_keys.includes(price.lookup_key ?? "")) &&
      (params.product === undefined || price.product === params.product) &&
      matchesRecurring(price, params.recurring ?? {}) &&
      (params.type === undefined || price.type === params.type) &&
      passes(price.created, params.created)
    );
    return paginate(found, params, "/v1/prices");
  }),

  endpoint("GET /v1/prices/:id", {}, ({ account, id }) => account.prices.get(id)),

  endpoint("POST /v1/prices/:id", {
    active: boolean().optional(),
    lookup_key: clearable(lookupKey).optional(),
    metadata: metadata().optional(),
    nickname: clearable(text()).optional(),
    currency_options: z.record(currency(), currencyOption).optional(),
    tax_behavior: taxBehavior.optional(),
    transfer_lookup_key: boolean().default(false),
  }, ({ account, change, params, id }) => {
    const before = account.prices.get(id);
    const { currency_options: options, transfer_lookup_key: transfer, ...fields } = params;
    if (
      params.tax_behavior !== undefined && before.tax_behavior !== "unspecified" &&
      params.tax_behavior !== before.tax_behavior
    ) {
      throw invalidRequest("The tax behavior of a price cannot be changed once it is specified.", {
        param: "tax_behavior",
      });
    }
    const details = account.priceDetails.find(id);
    if (options) {
      account.priceDetails.put({
        id,
        currencyOptions: { ...details?.currencyOptions, ...optionsOf(options) },
      });
    }
    if (params.lookup_key) releaseLookupKey(change, params.lookup_key, transfer, id);
    const changed = { ...before, ...fields, metadata: mergeMetadata(before.metadata, params.metadata) };
    return updatePrice(change, before, changed);
  }),
];

/** Reads `currency_options`. */
function optionsOf(
  options: Record<string, z.output<typeof currencyOption> | undefined>,
): Record<string, CurrencyOption> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([currency, option]): [string, CurrencyOption][] => {
      if (!option) return [];
      const tiers = option.tiers &&
        tiersOf({ billing_scheme: "tiered", tiers_mode: "graduated", ...option }, amountOf);
      return [[currency, {
        custom_unit_amount: null,
        tax_behavior: option.tax_behavior ?? "unspecified",
        ...(tiers ? { tiers, unit_amount: null, unit_amount_decimal: null } : amountOf(option)),
      }]];
    }),
  );
}

/** The price of one unit: whole cents, or a decimal. */
function amountOf(params: { unit_amount?: number; unit_amount_decimal?: string }) {
  const { unit_amount: whole, unit_amount_decimal: decimal } = params;
  if (whole !== undefined && decimal !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: unit_amount, unit_amount_decimal.", {
      param: "unit_amount",
    });
  }
  if (whole === undefined && decimal === undefined) throw missingParameter("unit_amount");
  const amount = Number(whole ?? decimal);
  return {
    unit_amount: Number.isInteger(amount) ? amount : null,
    unit_amount_decimal: decimal ?? String(whole),
  };
}

/** Reads `recurring`. A metered price requires a meter, any other must not have one. */
function recurringOf(account: Account, params: RecurringParams): Recurring {
  const param = "recurring[meter]";
  if (params.usage_type === "metered" && params.meter === undefined) throw missingParameter(param);
  if (params.usage_type === "licensed" && params.meter !== undefined) {
    throw invalidRequest("A meter can only be used with `recurring[usage_type]=metered`.", { param });
  }
  if (params.meter !== undefined && account.meters.getReferenced(params.meter, param).status !== "active") {
    throw invalidRequest("The meter is not active.", { param });
  }
  return { ...params, meter: params.meter ?? null, trial_period_days: null };
}

function matchesRecurring(
  { recurring }: Price,
  wanted: Partial<Record<"interval" | "meter" | "usage_type", string>>,
) {
  return (wanted.interval === undefined || recurring?.interval === wanted.interval) &&
    (wanted.meter === undefined || recurring?.meter === wanted.meter) &&
    (wanted.usage_type === undefined || recurring?.usage_type === wanted.usage_type);
}

/** Creates the product of `product_data`. */
function makeProduct(change: Change, data: z.output<typeof productData> | undefined): Product {
  if (!data) throw missingParameter("product");
  return createProduct(change, { ...data, metadata: mergeMetadata({}, data.metadata) });
}
