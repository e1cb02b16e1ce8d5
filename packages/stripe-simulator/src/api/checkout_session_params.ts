import { z } from "zod";
import type {
  CheckoutPlace,
  PaymentTerms,
  SetupTerms,
  SubscriptionTerms,
} from "../objects/checkout_session.ts";
import { newId, randomText } from "../objects/ids.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { boolean, currency, integer, list, metadata, oneOf, text, timestamp, url } from "../wire/params.ts";
import { automaticTax, shipping } from "./shared_params.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const subscriptionData = z.strictObject({
  billing_mode: z.strictObject({ type: oneOf("classic", "flexible") }).optional(),
  description: text(500).optional(),
  metadata: metadata().optional(),
  trial_end: timestamp().optional(),
  trial_period_days: integer({ min: 1, max: 730 }).optional(),
  trial_settings: z.strictObject({
    end_behavior: z.strictObject({ missing_payment_method: oneOf("cancel", "create_invoice", "pause") }),
  }).optional(),
});
type SubscriptionData = z.output<typeof subscriptionData>;

const paymentIntentData = z.strictObject({
  description: text().optional(),
  metadata: metadata().optional(),
  setup_future_usage: oneOf("off_session", "on_session").optional(),
  shipping: shipping.optional(),
});

const setupIntentData = z.strictObject({ description: text().optional(), metadata: metadata().optional() });

const lineItem = z.strictObject({
  adjustable_quantity: z.strictObject({
    enabled: boolean(),
    maximum: integer({ min: 1, max: 999_999 }).optional(),
    minimum: integer({ min: 0 }).optional(),
  }).optional(),
  metadata: metadata().optional(),
  price: text(),
  quantity: integer({ min: 1 }).optional(),
});

/** The parameters of `POST /v1/checkout/sessions`. */
export const createParams = {
  allow_promotion_codes: boolean().optional(),
  automatic_tax: automaticTax.optional(),
  billing_address_collection: oneOf("auto", "required").optional(),
  cancel_url: url().optional(),
  client_reference_id: text(200).optional(),
  currency: currency().optional(),
  customer: text().optional(),
  customer_creation: oneOf("always", "if_required").optional(),
  customer_email: text(512).optional(),
  customer_update: z.strictObject({
    address: oneOf("auto", "never").optional(),
    name: oneOf("auto", "never").optional(),
  }).optional(),
  discounts: list(z.strictObject({ coupon: text().optional(), promotion_code: text().optional() }))
    .optional(),
  expires_at: timestamp().optional(),
  line_items: list(lineItem).optional(),
  locale: text(20).optional(),
  metadata: metadata().optional(),
  mode: oneOf("payment", "setup", "subscription"),
  payment_intent_data: paymentIntentData.optional(),
  payment_method_collection: oneOf("always", "if_required").optional(),
  redirect_on_completion: oneOf("always", "if_required", "never").optional(),
  return_url: url().optional(),
  setup_intent_data: setupIntentData.optional(),
  subscription_data: subscriptionData.optional(),
  success_url: url().optional(),
  tax_id_collection: z.strictObject({
    enabled: boolean(),
    required: oneOf("if_supported", "never").default("never"),
  })
    .optional(),
  ui_mode: oneOf("hosted_page", "embedded_page", "elements", "form").default("hosted_page"),
};
export type CreateParams = z.output<z.ZodObject<typeof createParams>>;

/** Throws a 400 for parameters that cannot be used in the session's mode or together. */
export function checkCreateParams(params: CreateParams) {
  rejectOthersOf(params.mode, params, {
    payment_intent_data: ["payment"],
    setup_intent_data: ["setup"],
    subscription_data: ["subscription"],
    payment_method_collection: ["subscription"],
    customer_creation: ["payment", "setup"],
    line_items: ["payment", "subscription"],
  });
  if (params.customer && params.customer_email) {
    throw invalidRequest("You may only specify one of these parameters: customer, customer_email.", {
      param: "customer_email",
    });
  }
  if (params.allow_promotion_codes !== undefined && params.discounts !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: allow_promotion_codes, discounts.", {
      param: "allow_promotion_codes",
    });
  }
  if ((params.discounts?.length ?? 0) > 1) {
    throw invalidRequest("You can apply at most 1 discount to a Checkout Session.", { param: "discounts" });
  }
  if (params.customer && params.tax_id_collection?.enabled && params.customer_update?.name !== "auto") {
    throw invalidRequest(
      "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an " +
        "existing customer, please set `customer_update[name]` to `auto`.",
      { param: "tax_id_collection" },
    );
  }
  if (params.customer_update && !params.customer) {
    throw invalidRequest("`customer_update` can only be used with `customer`.", { param: "customer_update" });
  }
}

function rejectOthersOf(
  mode: CreateParams["mode"],
  params: CreateParams,
  modes: Partial<Record<keyof CreateParams, CreateParams["mode"][]>>,
) {
  for (const [param, allowed] of Object.entries(modes)) {
    if (Reflect.get(params, param) === undefined || allowed.includes(mode)) continue;
    throw invalidRequest(`You can not pass \`${param}\` in \`${mode}\` mode.`, { param });
  }
}

/** The session's page and return URLs. Throws a 400 for URLs that cannot be used with `ui_mode`. */
export function placeOf(params: CreateParams, id: string, origin: string): CheckoutPlace {
  switch (params.ui_mode) {
    case "hosted_page":
      return hostedPlace(params, id, origin);
    case "embedded_page":
      return embeddedPlace(params, id);
    default:
      throw invalidRequest(`The Stripe simulator does not simulate ui_mode=${params.ui_mode}.`, {
        param: "ui_mode",
      });
  }
}

function hostedPlace(params: CreateParams, id: string, origin: string): CheckoutPlace {
  rejectInUiMode(params, "return_url", "redirect_on_completion");
  if (!params.success_url) throw missingParameter("success_url");
  return {
    uiMode: "hosted_page",
    url: `${origin}/c/pay/${id}`,
    successUrl: params.success_url,
    cancelUrl: params.cancel_url ?? null,
  };
}

function embeddedPlace(params: CreateParams, id: string): CheckoutPlace {
  rejectInUiMode(params, "success_url", "cancel_url");
  const { redirect_on_completion: redirects = "always", return_url: returnUrl } = params;
  if (redirects === "never" && returnUrl !== undefined) {
    throw invalidRequest("`return_url` cannot be used when `redirect_on_completion` is `never`.", {
      param: "return_url",
    });
  }
  if (redirects !== "never" && returnUrl === undefined) throw missingParameter("return_url");
  return {
    uiMode: "embedded_page",
    clientSecret: `${id}_secret_${randomText(40)}`,
    returnUrl,
    redirectOnCompletion: redirects,
  };
}

function rejectInUiMode(params: CreateParams, ...names: (keyof CreateParams)[]) {
  for (const param of names) {
    if (params[param] === undefined) continue;
    throw invalidRequest(`\`${param}\` cannot be used when \`ui_mode\` is \`${params.ui_mode}\`.`, { param });
  }
}

/** Creates the id of a session in test mode. */
export function newSessionId(): string {
  return newId("cs_test", 58);
}

/** The fields of what the session creates on completion. */
export function termsOf(params: CreateParams, now: number): PaymentTerms | SetupTerms | SubscriptionTerms {
  switch (params.mode) {
    case "payment":
      return paymentTerms(params.payment_intent_data);
    case "setup":
      return { mode: "setup", ...describedBy(params.setup_intent_data) };
    case "subscription":
      return subscriptionTerms(params.subscription_data ?? {}, now);
  }
}

function describedBy(data: { description?: string; metadata?: Record<string, string> | null } = {}) {
  return { description: data.description ?? null, metadata: mergeMetadata({}, data.metadata) };
}

function paymentTerms(data: CreateParams["payment_intent_data"]): PaymentTerms {
  return {
    mode: "payment",
    ...describedBy(data),
    savesCard: data?.setup_future_usage !== undefined,
    shipping: data?.shipping ?? null,
  };
}

function subscriptionTerms(data: SubscriptionData, now: number): SubscriptionTerms {
  if (data.trial_end !== undefined && data.trial_period_days !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: trial_end, trial_period_days.", {
      param: "subscription_data[trial_end]",
    });
  }
  if (data.trial_end !== undefined && data.trial_end < now + 2 * day) {
    throw invalidRequest("The `trial_end` date has to be at least 2 days in the future.", {
      param: "subscription_data[trial_end]",
    });
  }
  return {
    mode: "subscription",
    billingMode: data.billing_mode?.type ?? "flexible",
    ...describedBy(data),
    missingPaymentMethod: data.trial_settings?.end_behavior.missing_payment_method ?? "create_invoice",
    trial: trialTerms(data),
  };
}

function trialTerms(data: SubscriptionData): SubscriptionTerms["trial"] {
  if (data.trial_period_days !== undefined) return { days: data.trial_period_days };
  return data.trial_end === undefined ? null : { end: data.trial_end };
}

/** When the session expires, in seconds: half an hour to a day from now. */
export function expiryOf({ expires_at: wanted }: CreateParams, now: number): number {
  if (wanted === undefined) return now + day;
  if (wanted >= now + 30 * minute && wanted <= now + day) return wanted;
  throw invalidRequest(
    "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.",
    { param: "expires_at" },
  );
}
