import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { rejectOtherCurrency } from "../behaviour/catalog/customer_currency.ts";
import { orderItems, sellableCurrency } from "../behaviour/catalog/order_items.ts";
import { type Redeemable, redeemable } from "../behaviour/discounts/redemption.ts";
import { changedDiscounts } from "../behaviour/discounts/subscription_discounts.ts";
import { methodInParam } from "../behaviour/payments/card_attachment.ts";
import { pauseOnRequest, resumeOnRequest } from "../behaviour/subscriptions/pause_requests.ts";
import { scheduleOf } from "../behaviour/schedules/schedule_end.ts";
import { followSubscription } from "../behaviour/schedules/schedule_requests.ts";
import { applyPlanChange, planChange, type PlanTerms } from "../behaviour/subscriptions/plan_change.ts";
import { endTrialWithoutCard } from "../behaviour/subscriptions/renewal.ts";
import { createSubscription } from "../behaviour/subscriptions/subscription_creation.ts";
import { cancelOnRequest } from "../behaviour/subscriptions/subscription_end.ts";
import { updateSubscription } from "../behaviour/subscriptions/subscription_update.ts";
import { checkTaxLocation } from "../behaviour/taxes/automatic_tax.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import { hasEnded, type Period, type Subscription } from "../objects/subscription.ts";
import { invalidRequest, noSuch } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  clearable,
  currency,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../wire/params.ts";
import { automaticTax } from "./shared_params.ts";
import { isShown } from "./clock_filter.ts";
import { discounts } from "./discount_params.ts";
import { endpoint } from "./endpoint.ts";
import {
  anchorType,
  earliestPeriodEnd,
  feedback,
  itemChange,
  newItem,
  paymentBehavior,
  prorationBehavior,
  schedule,
  trialSettings,
  withSchedule,
} from "./subscription_params.ts";

const daySeconds = 86_400;

const statusFilter = oneOf(
  "active",
  "all",
  "canceled",
  "ended",
  "incomplete",
  "incomplete_expired",
  "past_due",
  "paused",
  "trialing",
  "unpaid",
);

const shared = {
  ...schedule,
  automatic_tax: automaticTax.optional(),
  collection_method: oneOf("charge_automatically").optional(),
  default_payment_method: clearable(text()).optional(),
  description: clearable(text(500)).optional(),
  discounts: discounts.optional(),
  metadata: metadata().optional(),
  off_session: boolean().default(false),
  payment_behavior: paymentBehavior.default("allow_incomplete"),
  payment_settings: z.strictObject({
    save_default_payment_method: oneOf("off", "on_subscription").optional(),
  })
    .optional(),
  proration_behavior: prorationBehavior.default("create_prorations"),
  trial_end: z.union([timestamp(), oneOf("now")]).optional(),
  trial_settings: trialSettings.optional(),
};

const createParams = {
  ...shared,
  billing_cycle_anchor: timestamp().optional(),
  billing_mode: z.strictObject({ type: oneOf("classic", "flexible") }).optional(),
  currency: currency().optional(),
  customer: text(),
  items: list(newItem),
  trial_period_days: integer({ min: 0, max: 730 }).optional(),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

const updateParams = {
  ...shared,
  billing_cycle_anchor: anchorType.optional(),
  cancellation_details: feedback.optional(),
  items: list(itemChange).optional(),
  pause_collection: clearable(z.strictObject({
    behavior: oneOf("keep_as_draft", "mark_uncollectible", "void"),
    resumes_at: timestamp().optional(),
  })).optional(),
  proration_date: timestamp().optional(),
};
type UpdateParams = z.output<z.ZodObject<typeof updateParams>>;

export const subscriptionEndpoints = [
  endpoint("POST /v1/subscriptions", createParams, (call) => {
    const { account, params } = call;
    const customer = account.customers.getReferenced(params.customer, "customer");
    const change = call.change.of(customer);
    const items = orderItems(account, params.items.map((item) => withQuantity(account, item)), "items")
      .map((item, index) => ({ ...item, metadata: mergeMetadata({}, params.items[index].metadata) }));
    const currency = sellableCurrency(account, items, "subscription", params.currency);
    rejectOtherCurrency(account, customer, currency);
    if (params.automatic_tax?.enabled) checkTaxLocation(customer);
    const created = createSubscription(change, {
      customer,
      items,
      method: ownMethod(change, customer.id, params.default_payment_method),
      trial: trialOf(params, change.now),
      terms: {
        billingMode: params.billing_mode?.type ?? "flexible",
        description: params.description ?? null,
        isTaxed: params.automatic_tax?.enabled,
        metadata: mergeMetadata({}, params.metadata),
        missingPaymentMethod: params.trial_settings?.end_behavior.missing_payment_method ?? "create_invoice",
      },
      anchor: anchorOf(params, change.now),
      currency,
      coupons: couponsOf(change, customer.id, { currency, discounts: params.discounts }),
    }, { behavior: params.payment_behavior, presence: presenceOf(params) });
    return account.subscriptions.put(withSettings(withSchedule(change, created, params), params));
  }),

  endpoint("GET /v1/subscriptions", {
    ...pagination,
    created: timeFilter().optional(),
    current_period_end: timeFilter().optional(),
    current_period_start: timeFilter().optional(),
    customer: text().optional(),
    price: text().optional(),
    status: statusFilter.optional(),
    test_clock: text().optional(),
  }, ({ account, params }) => {
    const all = params.customer === undefined
      ? account.subscriptions.newestFirst()
      : account.subscriptions.of(params.customer).reverse();
    const found = all.filter((subscription) =>
      isShown(subscription, params) &&
      (params.price === undefined ||
        subscription.items.data.some((item) => item.price.id === params.price)) &&
      hasStatus(subscription, params.status) &&
      passes(subscription.created, params.created) &&
      passes(earliestPeriodEnd(subscription), params.current_period_end) &&
      passes(latestPeriodStart(subscription), params.current_period_start)
    );
    return paginate(found, params, "/v1/subscriptions");
  }),

  endpoint("GET /v1/subscriptions/:id", {}, ({ account, id }) => account.subscriptions.get(id)),

  endpoint("POST /v1/subscriptions/:id", updateParams, (call) => {
    const { account, params, id } = call;
    const before = account.subscriptions.get(id);
    const change = call.change.of(before);
    rejectIfEnded(before, params);
    rejectIfScheduled(account, before, params);
    rejectIfNotPendable(params);
    const wanted = withFields(change, before, params);
    const terms = planTermsOf(params, change.now);
    const endsTrial = params.trial_end === "now" && wanted.status === "trialing";
    if (endsTrial) {
      const ended = endTrialWithoutCard(change, updateSubscription(change, before, wanted));
      if (ended) return ended;
    }
    if (!terms) return updateSubscription(change, account.subscriptions.get(id), wanted);
    const updated = applyPlanChange(change, planChange(change, wanted, terms), {
      behavior: params.payment_behavior,
      presence: presenceOf(params),
    });
    return followSubscription(change, updated);
  }),

  endpoint("DELETE /v1/subscriptions/:id", {
    cancellation_details: feedback.optional(),
    invoice_now: boolean().default(false),
    prorate: boolean().default(false),
  }, ({ account, change, params, id }) => {
    const subscription = account.subscriptions.get(id);
    if (hasEnded(subscription)) throw noSuch("subscription", id, "path");
    return cancelOnRequest(change.of(subscription), subscription, {
      feedback: params.cancellation_details,
      invoiceNow: params.invoice_now,
      prorate: params.prorate,
    });
  }),

  endpoint("DELETE /v1/subscriptions/:id/discount", {}, ({ account, change: cause, id }) => {
    const before = account.subscriptions.get(id);
    const [discount] = before.discounts.map(String);
    if (!discount) throw noSuch("discount for subscription", id, "path");
    const change = cause.of(before);
    updateSubscription(change, before, { ...before, discounts: changedDiscounts(change, before, null) });
    return { ...account.discounts.get(discount), deleted: true };
  }),

  endpoint("POST /v1/subscriptions/:id/pause", {
    bill_for: z.strictObject({
      outstanding_usage_through: z.strictObject({ type: oneOf("none", "now") }).optional(),
      unused_time_from: z.strictObject({ type: oneOf("item_current_period_start", "none", "now") })
        .optional(),
    }).optional(),
    invoicing_behavior: oneOf("invoice", "pending_invoice_item").default("pending_invoice_item"),
    type: oneOf("subscription").optional(),
  }, ({ account, change, params, id }) => {
    const subscription = account.subscriptions.get(id);
    if (subscription.billing_mode.type !== "flexible") {
      throw invalidRequest("Only subscriptions in flexible billing mode can be paused.");
    }
    if (!["active", "past_due", "trialing"].includes(subscription.status)) {
      throw invalidRequest(`A subscription that is ${subscription.status} cannot be paused.`);
    }
    return pauseOnRequest(change.of(subscription), subscription, {
      usage: params.bill_for?.outstanding_usage_through?.type ?? "now",
      unusedTimeFrom: params.bill_for?.unused_time_from?.type ?? "now",
      isInvoiced: params.invoicing_behavior === "invoice",
    });
  }),

  endpoint("POST /v1/subscriptions/:id/resume", {
    billing_cycle_anchor: anchorType.optional(),
    payment_behavior: oneOf("resume_on_payment_attempt", "resume_on_payment_success")
      .default("resume_on_payment_attempt"),
    proration_behavior: prorationBehavior.default("create_prorations"),
  }, ({ account, change, params, id }) => {
    const subscription = account.subscriptions.get(id);
    if (subscription.status !== "paused") {
      throw invalidRequest(`Only a paused subscription can be resumed. This one is ${subscription.status}.`);
    }
    return resumeOnRequest(change.of(subscription), subscription, {
      startsPeriod: params.billing_cycle_anchor?.type !== "unchanged",
      proration: params.proration_behavior,
      waitsForPayment: params.payment_behavior === "resume_on_payment_success",
    });
  }),
];

/** Without a status filter, a list leaves out canceled subscriptions. */
function hasStatus(subscription: Subscription, wanted: z.output<typeof statusFilter> | undefined): boolean {
  if (wanted === undefined) return subscription.status !== "canceled";
  if (wanted === "all") return true;
  return wanted === "ended" ? hasEnded(subscription) : subscription.status === wanted;
}

function latestPeriodStart(subscription: Subscription): number {
  return Math.max(...subscription.items.data.map((item) => item.current_period_start));
}

function rejectIfEnded(subscription: Subscription, params: UpdateParams) {
  if (!hasEnded(subscription)) return;
  const editable = new Set(["cancellation_details", "metadata"]);
  const defaulted = new Set(["off_session", "payment_behavior", "proration_behavior"]);
  if (Object.keys(params).every((name) => editable.has(name) || defaulted.has(name))) return;
  throw invalidRequest("A canceled subscription can only update its cancellation_details and metadata.", {
    code: "invalid_canceled_subscription_fields",
  });
}

/** The parameters that a pending update can hold (https://docs.stripe.com/billing/pending-updates-reference). */
const pendable = new Set([
  "billing_cycle_anchor",
  "discounts",
  "items",
  "off_session",
  "payment_behavior",
  "proration_behavior",
  "proration_date",
  "trial_end",
]);

function rejectIfNotPendable(params: UpdateParams) {
  if (params.payment_behavior !== "pending_if_incomplete") return;
  const other = Object.entries(params).find(([name, value]) => value !== undefined && !pendable.has(name));
  if (!other) return;
  const message = `\`${other[0]}\` cannot be updated with \`payment_behavior=pending_if_incomplete\`. ` +
    "Only the parameters that pending updates support can be used.";
  throw invalidRequest(message, { param: other[0] });
}

/** The end of a subscription with a schedule is set in the schedule. */
function rejectIfScheduled(account: Account, subscription: Subscription, params: UpdateParams) {
  const schedule = scheduleOf(account, subscription);
  const changesEnd = params.cancel_at !== undefined ||
    (params.cancel_at_period_end !== undefined &&
      params.cancel_at_period_end !== subscription.cancel_at_period_end);
  if (!schedule || !changesEnd) return;
  throw invalidRequest(
    `The subscription is managed by the subscription schedule \`${schedule.id}\`, and updating any cancelation ` +
      "behavior directly is not allowed. Please update the schedule instead.",
  );
}

/** Returns the subscription with all changes that do not concern items and periods. */
function withFields(change: Change, before: Subscription, params: UpdateParams): Subscription {
  const method = params.default_payment_method;
  const { description = before.description, pause_collection: pause } = params;
  const details = before.cancellation_details;
  return withSettings(
    withSchedule(change, {
      ...before,
      automatic_tax: taxOf(change, before, params),
      cancellation_details: details && params.cancellation_details
        ? { ...details, ...params.cancellation_details }
        : details,
      discounts: changedDiscounts(change, before, params.discounts),
      default_payment_method: method === undefined
        ? before.default_payment_method
        : ownMethod(change, before.customer, method)?.id ?? null,
      description,
      metadata: mergeMetadata(before.metadata, params.metadata),
      pause_collection: pause === undefined
        ? before.pause_collection
        : pause && { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null },
    }, params),
    params,
  );
}

function withSettings(
  subscription: Subscription,
  { payment_settings: payment, trial_settings: trial }: Pick<
    CreateParams,
    "payment_settings" | "trial_settings"
  >,
): Subscription {
  const { payment_settings: settings, trial_settings: before } = subscription;
  return {
    ...subscription,
    payment_settings: settings && {
      ...settings,
      save_default_payment_method: payment?.save_default_payment_method ??
        settings.save_default_payment_method,
    },
    trial_settings: trial && before
      ? { ...before, end_behavior: { ...before.end_behavior, ...trial.end_behavior } }
      : before,
  };
}

/** The requested change of items and periods, or undefined. */
function planTermsOf(params: UpdateParams, now: number): PlanTerms | undefined {
  const { billing_cycle_anchor: anchor, items, trial_end: trialEnd } = params;
  if (typeof trialEnd === "number" && trialEnd <= now) {
    throw invalidRequest("`trial_end` must be a timestamp in the future, or `now`.", { param: "trial_end" });
  }
  const startsPeriod = anchor?.type === "now";
  if (!items && !startsPeriod && trialEnd === undefined) return;
  return {
    items: items ?? [],
    proration: params.proration_behavior,
    prorationDate: params.proration_date,
    startsPeriod,
    trialEnd,
  };
}

/** The payment method named for the subscription. Throws a 400 when it is not attached to the customer. */
function ownMethod(change: Change, customer: string, id: string | null | undefined): PaymentMethod | null {
  if (!id) return null;
  const method = methodInParam(change, id, "default_payment_method");
  if (method.customer === customer) return method;
  const message = `The customer does not have a payment method with the ID ${id}. ` +
    "The payment method must be attached to the customer.";
  throw invalidRequest(message, { param: "default_payment_method", code: "resource_missing" });
}

/** The coupons that a new subscription is to redeem. */
function couponsOf(
  change: Change,
  customer: string,
  { currency, discounts }: { currency: string; discounts: CreateParams["discounts"] },
): Redeemable[] {
  return (discounts ?? []).map((wanted, index) =>
    redeemable(change, wanted, `discounts[${index}]`, { customer, currency, amount: null })
  );
}

/** The setting of automatic tax after an update. */
function taxOf({ account }: Change, before: Subscription, { automatic_tax: wanted }: UpdateParams) {
  if (wanted === undefined) return before.automatic_tax;
  if (wanted.enabled) checkTaxLocation(account.customers.get(before.customer));
  return {
    disabled_reason: null,
    enabled: wanted.enabled,
    liability: wanted.enabled ? { type: "self" as const } : null,
  };
}

/** Sets the default quantity: 1, or none for a metered price. */
function withQuantity(account: Account, item: CreateParams["items"][number]) {
  const isMetered = account.prices.find(item.price)?.recurring?.usage_type === "metered";
  return { ...item, quantity: item.quantity ?? (isMetered ? undefined : 1) };
}

function trialOf({ trial_end: end, trial_period_days: days }: CreateParams, now: number): Period | null {
  if (end !== undefined && days !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: trial_end, trial_period_days.", {
      param: "trial_end",
    });
  }
  if (typeof end === "number") {
    if (end > now) return { start: now, end };
    throw invalidRequest("`trial_end` must be a timestamp in the future, or `now`.", { param: "trial_end" });
  }
  return days ? { start: now, end: now + days * daySeconds } : null;
}

function anchorOf({ billing_cycle_anchor: at, proration_behavior }: CreateParams, now: number) {
  if (at === undefined) return;
  if (at > now) return { at, isProrated: proration_behavior !== "none" };
  throw invalidRequest("`billing_cycle_anchor` must be a timestamp in the future.", {
    param: "billing_cycle_anchor",
  });
}

function presenceOf({ off_session: isAway }: { off_session: boolean }) {
  return isAway ? "off_session" : "on_session";
}
