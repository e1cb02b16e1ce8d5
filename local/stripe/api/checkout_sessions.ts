import { z } from "zod";
import { orderedAmount, orderItems, rejectUnlessSellable } from "../behaviour/ordering.ts";
import { expireCheckout } from "../behaviour/checkout.ts";
import { type CheckoutOrder, newCheckoutSession } from "../objects/checkout_session.ts";
import { newId } from "../objects/ids.ts";
import { endpoint } from "../protocol/endpoint.ts";
import { invalidRequest, missingParameter } from "../protocol/errors.ts";
import { mergeMetadata } from "../protocol/metadata.ts";
import { paginate, passes } from "../protocol/pagination.ts";
import {
  boolean,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
  url,
} from "../protocol/params.ts";
import { listLineItems } from "../behaviour/line_items.ts";

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

const createParams = {
  allow_promotion_codes: boolean().optional(),
  automatic_tax: z.strictObject({ enabled: oneOf("false") }).optional(),
  billing_address_collection: oneOf("auto", "required").optional(),
  cancel_url: url().optional(),
  client_reference_id: text(200).optional(),
  customer: text().optional(),
  customer_email: text(512).optional(),
  customer_update: z.strictObject({
    address: oneOf("auto", "never").optional(),
    name: oneOf("auto", "never").optional(),
  }).optional(),
  expires_at: timestamp().optional(),
  line_items: list(z.strictObject({ price: text(), quantity: integer({ min: 1 }).optional() })),
  locale: text(20).optional(),
  metadata: metadata().optional(),
  mode: oneOf("payment", "setup", "subscription"),
  payment_method_collection: oneOf("always", "if_required").default("always"),
  return_url: url().optional(),
  subscription_data: subscriptionData.default({}),
  success_url: url().optional(),
  ui_mode: oneOf("hosted_page", "embedded_page", "elements", "form").default("hosted_page"),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const checkoutSessionEndpoints = [
  endpoint("POST /v1/checkout/sessions", createParams, ({ account, change, params }) => {
    const successUrl = checkHosted(params);
    if (params.customer) account.customers.getReferenced(params.customer, "customer");
    const items = orderItems(account, params.line_items);
    const currency = rejectUnlessSellable(account, items);
    const id = newId("cs_test", 58);
    const order: CheckoutOrder = {
      id,
      items,
      subscription: termsOf(params.subscription_data, change.now),
      updatesCustomerName: params.customer_update?.name === "auto",
    };
    account.checkoutOrders.put(order);
    return account.checkoutSessions.put(newCheckoutSession(change.now, {
      id,
      url: `${account.origin}/c/pay/${id}`,
      allowPromotionCodes: params.allow_promotion_codes ?? null,
      amountTotal: order.subscription.trial ? 0 : orderedAmount(account, items),
      billingAddressCollection: params.billing_address_collection ?? null,
      cancelUrl: params.cancel_url ?? null,
      clientReferenceId: params.client_reference_id ?? null,
      currency,
      customer: params.customer ?? null,
      customerEmail: params.customer_email ?? null,
      expiresAt: expiry(params.expires_at, change.now),
      locale: params.locale ?? null,
      metadata: mergeMetadata({}, params.metadata),
      paymentMethodCollection: params.payment_method_collection,
      successUrl: successUrl.replaceAll("{CHECKOUT_SESSION_ID}", id),
    }));
  }),

  endpoint("GET /v1/checkout/sessions", {
    ...pagination,
    created: timeFilter().optional(),
    customer: text().optional(),
    customer_details: z.strictObject({ email: text() }).optional(),
    status: oneOf("open", "complete", "expired").optional(),
    subscription: text().optional(),
  }, ({ account, params }) => {
    const found = account.checkoutSessions.newestFirst().filter((session) =>
      (params.customer === undefined || session.customer === params.customer) &&
      (params.customer_details === undefined ||
        session.customer_details?.email === params.customer_details.email) &&
      (params.status === undefined || session.status === params.status) &&
      (params.subscription === undefined || session.subscription === params.subscription) &&
      passes(session.created, params.created)
    );
    return paginate(found, params, "/v1/checkout/sessions");
  }),

  endpoint("GET /v1/checkout/sessions/:id", {}, ({ account, id }) => account.checkoutSessions.get(id)),

  endpoint(
    "POST /v1/checkout/sessions/:id",
    { metadata: metadata().optional() },
    ({ account, params, id }) => {
      const before = account.checkoutSessions.get(id);
      return account.checkoutSessions.put({
        ...before,
        metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      });
    },
  ),

  endpoint("POST /v1/checkout/sessions/:id/expire", {}, ({ account, change, id }) => {
    return expireCheckout(change, account.checkoutSessions.get(id));
  }),

  endpoint("GET /v1/checkout/sessions/:id/line_items", pagination, ({ account, params, id }) => {
    const items = listLineItems(account, account.checkoutSessions.get(id));
    return paginate(items, params, `/v1/checkout/sessions/${id}/line_items`);
  }),
];

/** Refuses what a hosted page for a subscription cannot have. The answer is the address of success, which it must. */
function checkHosted(params: CreateParams): string {
  if (params.mode !== "subscription") throw notSimulated("mode", params.mode);
  if (params.ui_mode !== "hosted_page") throw notSimulated("ui_mode", params.ui_mode);
  if (params.return_url) {
    throw invalidRequest("`return_url` cannot be used when `ui_mode` is `hosted_page`.", {
      param: "return_url",
    });
  }
  if (params.customer && params.customer_email) {
    throw invalidRequest("You may only specify one of these parameters: customer, customer_email.", {
      param: "customer_email",
    });
  }
  if (params.customer_update && !params.customer) {
    throw invalidRequest("`customer_update` can only be used with `customer`.", { param: "customer_update" });
  }
  if (!params.success_url) throw missingParameter("success_url");
  return params.success_url;
}

function notSimulated(param: string, value: string) {
  return invalidRequest(`The Stripe simulator does not simulate ${param}=${value}.`, { param });
}

function termsOf(data: SubscriptionData, now: number): CheckoutOrder["subscription"] {
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
    billingMode: data.billing_mode?.type ?? "flexible",
    description: data.description ?? null,
    metadata: mergeMetadata({}, data.metadata),
    missingPaymentMethod: data.trial_settings?.end_behavior.missing_payment_method ?? "create_invoice",
    trial: trialTerms(data),
  };
}

function trialTerms(data: SubscriptionData): CheckoutOrder["subscription"]["trial"] {
  if (data.trial_period_days !== undefined) return { days: data.trial_period_days };
  return data.trial_end === undefined ? null : { end: data.trial_end };
}

function expiry(wanted: number | undefined, now: number): number {
  if (wanted === undefined) return now + day;
  if (wanted >= now + 30 * minute && wanted <= now + day) return wanted;
  throw invalidRequest(
    "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.",
    { param: "expires_at" },
  );
}
