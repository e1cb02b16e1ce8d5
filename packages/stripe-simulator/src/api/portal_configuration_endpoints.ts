import { z } from "zod";
import type { Account } from "../account/account.ts";
import { defaultPortalConfiguration } from "../behaviour/portal_actions.ts";
import { newPortalConfiguration, noPortalFeatures, type PortalFeatures } from "../objects/billing_portal.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate } from "../wire/pagination.ts";
import { boolean, clearable, integer, list, metadata, oneOf, pagination, text, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const enabled = boolean();
const toggle = z.strictObject({ enabled });

const portalProduct = z.strictObject({
  adjustable_quantity: z.strictObject({
    enabled,
    maximum: integer({ min: 1 }).optional(),
    minimum: integer({ min: 0 }).optional(),
  }).optional(),
  prices: list(text()),
  product: text(),
});

/** The reasons that Stripe offers. */
const cancellationReason = oneOf(
  "customer_service",
  "low_quality",
  "missing_features",
  "other",
  "switched_service",
  "too_complex",
  "too_expensive",
  "unused",
);

const features = z.strictObject({
  customer_update: z.strictObject({
    allowed_updates: clearable(list(oneOf("address", "email", "name", "phone", "shipping", "tax_id")))
      .optional(),
    enabled,
  }).optional(),
  invoice_history: toggle.optional(),
  payment_method_update: toggle.optional(),
  subscription_cancel: z.strictObject({
    cancellation_reason: z.strictObject({ enabled, options: clearable(list(cancellationReason)).optional() })
      .optional(),
    enabled,
    mode: oneOf("at_period_end", "immediately").optional(),
    proration_behavior: oneOf("always_invoice", "create_prorations", "none").optional(),
  }).optional(),
  subscription_update: z.strictObject({
    billing_cycle_anchor: oneOf("now", "unchanged").optional(),
    default_allowed_updates: clearable(list(oneOf("price", "promotion_code", "quantity"))).optional(),
    enabled,
    products: clearable(list(portalProduct)).optional(),
    proration_behavior: oneOf("always_invoice", "create_prorations", "none").optional(),
    schedule_at_period_end: z.strictObject({
      conditions: list(z.strictObject({ type: oneOf("decreasing_item_amount", "shortening_interval") }))
        .optional(),
    }).optional(),
    trial_update_behavior: oneOf("continue_trial", "end_trial").optional(),
  }).optional(),
});
type FeatureParams = z.output<typeof features>;

const businessProfile = z.strictObject({
  headline: clearable(text(60)).optional(),
  privacy_policy_url: url().optional(),
  terms_of_service_url: url().optional(),
});

const configurationFields = {
  business_profile: businessProfile.optional(),
  default_return_url: clearable(url()).optional(),
  metadata: metadata().optional(),
  name: clearable(text()).optional(),
};

export const portalConfigurationEndpoints = [
  endpoint("POST /v1/billing_portal/configurations", { ...configurationFields, features }, (call) => {
    const { account, change, params } = call;
    checkFeatures(account, mergeFeatures(noPortalFeatures, params.features));
    const configuration = account.portalConfigurations.put(newPortalConfiguration(change.now, {
      businessProfile: {
        headline: null,
        privacy_policy_url: null,
        terms_of_service_url: null,
        ...params.business_profile,
      },
      defaultReturnUrl: params.default_return_url ?? null,
      features: mergeFeatures(noPortalFeatures, params.features),
      isDefault: false,
      metadata: mergeMetadata({}, params.metadata),
      name: params.name ?? null,
    }));
    change.emit("billing_portal.configuration.created", configuration);
    return configuration;
  }),

  endpoint("GET /v1/billing_portal/configurations", {
    ...pagination,
    active: boolean().optional(),
    is_default: boolean().optional(),
  }, ({ account, change, params }) => {
    defaultPortalConfiguration(change);
    const found = account.portalConfigurations.newestFirst().filter((configuration) =>
      (params.active === undefined || configuration.active === params.active) &&
      (params.is_default === undefined || configuration.is_default === params.is_default)
    );
    return paginate(found, params, "/v1/billing_portal/configurations");
  }),

  endpoint(
    "GET /v1/billing_portal/configurations/:id",
    {},
    ({ account, id }) => account.portalConfigurations.get(id),
  ),

  endpoint("POST /v1/billing_portal/configurations/:id", {
    ...configurationFields,
    active: boolean().optional(),
    features: features.optional(),
  }, ({ account, change, params, id }) => {
    const before = account.portalConfigurations.get(id);
    if (before.is_default && params.active === false) {
      throw invalidRequest("You cannot deactivate the default configuration.", { param: "active" });
    }
    checkFeatures(account, mergeFeatures(before.features, params.features ?? {}));
    const after = account.portalConfigurations.put({
      ...before,
      ...params,
      business_profile: { ...before.business_profile, ...params.business_profile },
      features: mergeFeatures(before.features, params.features ?? {}),
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      updated: change.now,
    });
    change.emit("billing_portal.configuration.updated", after, before);
    return after;
  }),
];

/** Throws a 400 for features that are enabled without what they need. */
function checkFeatures(
  account: Account,
  { customer_update, subscription_cancel, subscription_update }: PortalFeatures,
) {
  if (customer_update.enabled && customer_update.allowed_updates.length === 0) {
    throw missingParameter("features[customer_update][allowed_updates]");
  }
  const { cancellation_reason: reason } = subscription_cancel;
  if (reason.enabled && reason.options.length === 0) {
    throw missingParameter("features[subscription_cancel][cancellation_reason][options]");
  }
  if (!subscription_update.enabled) return;
  const param = "features[subscription_update][products]";
  const products = subscription_update.products ?? [];
  if (subscription_update.default_allowed_updates.length === 0) {
    throw missingParameter("features[subscription_update][default_allowed_updates]");
  }
  if (products.length === 0) throw missingParameter(param);
  if (products.length > 10) {
    throw invalidRequest("You can specify at most 10 products in the portal configuration.", { param });
  }
  for (const [index, { prices, product }] of products.entries()) {
    account.products.getReferenced(product, `${param}[${index}][product]`);
    checkPrices(account, { prices, product }, `${param}[${index}][prices]`);
  }
}

/** Each price must belong to its product and be one that a customer can choose. */
function checkPrices(
  account: Account,
  { prices, product }: { prices: string[]; product: string },
  param: string,
) {
  const seen = new Set<string>();
  for (const [index, id] of prices.entries()) {
    const price = account.prices.getReferenced(id, `${param}[${index}]`);
    if (price.product !== product) {
      throw invalidRequest(`The price ${id} does not belong to the product ${product}.`, {
        param: `${param}[${index}]`,
      });
    }
    if (price.recurring?.usage_type !== "licensed") {
      throw invalidRequest("Only recurring prices with usage_type licensed can be used in the portal.", {
        param: `${param}[${index}]`,
      });
    }
    const interval = `${price.recurring.interval} ${price.recurring.interval_count} ${price.currency}`;
    if (seen.has(interval)) {
      throw invalidRequest("The prices of a product must have different intervals and currencies.", {
        param,
      });
    }
    seen.add(interval);
  }
}

function mergeFeatures(before: PortalFeatures, params: FeatureParams): PortalFeatures {
  const { customer_update, subscription_cancel, subscription_update } = params;
  return {
    ...before,
    customer_update: {
      ...before.customer_update,
      ...customer_update,
      allowed_updates: customer_update?.allowed_updates ?? before.customer_update.allowed_updates,
    },
    invoice_history: { ...before.invoice_history, ...params.invoice_history },
    payment_method_update: { ...before.payment_method_update, ...params.payment_method_update },
    subscription_cancel: {
      ...before.subscription_cancel,
      ...subscription_cancel,
      cancellation_reason: {
        ...before.subscription_cancel.cancellation_reason,
        ...subscription_cancel?.cancellation_reason,
        options: subscription_cancel?.cancellation_reason?.options ??
          before.subscription_cancel.cancellation_reason.options,
      },
    },
    subscription_update: {
      ...before.subscription_update,
      ...subscription_update,
      default_allowed_updates: subscription_update?.default_allowed_updates ??
        before.subscription_update.default_allowed_updates,
      schedule_at_period_end: {
        conditions: subscription_update?.schedule_at_period_end?.conditions ??
          before.subscription_update.schedule_at_period_end.conditions,
      },
      products: subscription_update?.products === undefined
        ? before.subscription_update.products
        : (subscription_update.products ?? []).map(({ adjustable_quantity: quantity, ...product }) => ({
          ...product,
          adjustable_quantity: {
            enabled: quantity?.enabled ?? false,
            maximum: quantity?.maximum ?? null,
            minimum: quantity?.minimum ?? 1,
          },
        })),
    },
  };
}
