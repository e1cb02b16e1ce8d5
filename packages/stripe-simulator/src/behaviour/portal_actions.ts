import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import {
  defaultPortalFeatures,
  newPortalConfiguration,
  type PortalConfiguration,
  type PortalSession,
  portalSessionLifetime,
} from "../objects/billing_portal.ts";
import type { Customer } from "../objects/customer.ts";
import { newPaymentMethod } from "../objects/payment_method.ts";
import type { Price } from "../objects/price.ts";
import { hasEnded, isSetToCancel, type Subscription } from "../objects/subscription.ts";
import { authenticationFailed, type TestCard } from "../objects/test_card.ts";
import { hasCurrency } from "./catalog/presentment.ts";
import { redeemableByCode } from "./discounts/redemption.ts";
import { changedDiscounts } from "./discounts/subscription_discounts.ts";
import { isDeferred, type PlanChoice, scheduleChoice, updateRefusal } from "./portal_plan_rules.ts";
import { releaseSchedule, scheduleOf } from "./schedules/schedule_end.ts";
import { addTaxId } from "./taxes/customer_tax_ids.ts";
import { attach } from "./payments/card_attachment.ts";
import { cardError } from "./payments/card_verdict.ts";
import { cancelingAtPeriodEnd, continuing, type Feedback } from "./subscriptions/cancellation.ts";
import { applyPlanChange, type PlanChange, planChange } from "./subscriptions/plan_change.ts";
import { cancelOnRequest } from "./subscriptions/subscription_end.ts";
import { updateSubscription } from "./subscriptions/subscription_update.ts";

/** Returns the account's default configuration, as in a sandbox whose portal settings were saved once. */
export function defaultPortalConfiguration(change: Change): PortalConfiguration {
  const { portalConfigurations } = change.account;
  const existing = portalConfigurations.oldestFirst().find((configuration) => configuration.is_default);
  return existing ?? portalConfigurations.put(newPortalConfiguration(change.now, {
    businessProfile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    defaultReturnUrl: null,
    features: defaultPortalFeatures,
    isDefault: true,
    metadata: {},
    name: null,
  }));
}

/** Finds the session of a portal URL. Undefined when it has expired or its customer was deleted. */
export function findPortalSession(account: Account, token: string): PortalSession | undefined {
  const session = account.portalSessions.oldestFirst().find((session) => session.url.endsWith(`/${token}`));
  const isCurrent = session && session.created + portalSessionLifetime > account.now();
  return isCurrent && account.customers.find(session.customer) ? session : undefined;
}

/** True when the customer can cancel the subscription. */
export function canCancel({ features }: PortalConfiguration, subscription: Subscription): boolean {
  return features.subscription_cancel.enabled && !hasEnded(subscription) && !isSetToCancel(subscription);
}

/** True when the customer can undo a scheduled cancellation. */
export function canRenew(subscription: Subscription): boolean {
  return !hasEnded(subscription) && isSetToCancel(subscription);
}

/** True when the customer can change the plan. */
export function canUpdate(
  account: Account,
  configuration: PortalConfiguration,
  subscription: Subscription,
): boolean {
  return updateRefusal(account, configuration, subscription) === null;
}

/** The prices that the configuration offers for the subscription, its present one included. */
export function offeredPrices(
  account: Account,
  { features }: PortalConfiguration,
  subscription: Subscription,
): Price[] {
  const ids = (features.subscription_update.products ?? []).flatMap(({ prices }) => prices);
  return ids.flatMap((id) => account.prices.find(id) ?? [])
    .filter((price) => price.active && hasCurrency(account, price, subscription.currency));
}

/** Cancels a subscription now or at the end of the period, as the configuration says. */
export function cancelInPortal(
  cause: Change,
  subscription: Subscription,
  { features }: PortalConfiguration,
  feedback: Feedback = {},
): Subscription {
  const change = cause.of(subscription);
  const schedule = scheduleOf(change.account, subscription);
  if (schedule) releaseSchedule(change, schedule);
  const released = change.account.subscriptions.get(subscription.id);
  const { mode, proration_behavior: proration } = features.subscription_cancel;
  if (mode === "immediately") {
    return cancelOnRequest(change, released, {
      feedback,
      invoiceNow: proration === "always_invoice",
      prorate: proration !== "none",
    });
  }
  const canceling = cancelingAtPeriodEnd(change, released);
  const details = canceling.cancellation_details;
  return updateSubscription(change, released, {
    ...canceling,
    cancellation_details: details && { ...details, ...feedback },
  });
}

/** Undoes a scheduled cancellation. */
export function renewInPortal(cause: Change, subscription: Subscription): Subscription {
  return updateSubscription(cause.of(subscription), subscription, continuing(subscription));
}

/** Calculates a plan change without storing it. */
export function planInPortal(
  change: Change,
  subscription: Subscription,
  { features }: PortalConfiguration,
  choice: PlanChoice,
): PlanChange {
  const { billing_cycle_anchor: anchor, proration_behavior, trial_update_behavior } =
    features.subscription_update;
  const proration = (["always_invoice", "create_prorations"] as const).find((known) => {
    return known === proration_behavior;
  });
  return planChange(change, subscription, {
    items: [{ id: subscription.items.data[0].id, price: choice.price, quantity: choice.quantity }],
    proration: proration ?? "none",
    startsPeriod: anchor === "now",
    ...(subscription.status === "trialing" && trial_update_behavior === "end_trial"
      ? { trialEnd: "now" as const }
      : {}),
  });
}

/**
 * Changes the plan, now or at the end of the period as the configuration says. When the payment fails, throws a 402
 * and changes nothing.
 */
export function updateInPortal(
  cause: Change,
  subscription: Subscription,
  configuration: PortalConfiguration,
  choice: PlanChoice,
): Subscription {
  const change = cause.of(subscription);
  if (isDeferred(change.account, configuration, subscription, choice)) {
    scheduleChoice(change, subscription, choice);
    return change.account.subscriptions.get(subscription.id);
  }
  const redeemed = withCode(change, subscription, choice);
  const plan = planInPortal(change, redeemed, configuration, choice);
  return applyPlanChange(change, plan, { behavior: "error_if_incomplete", presence: "off_session" });
}

/** Returns the subscription with the discount of a typed promotion code. Throws a 400 for one that is not valid. */
function withCode(change: Change, subscription: Subscription, { promotionCode }: PlanChoice): Subscription {
  if (promotionCode === undefined) return subscription;
  const { customer, currency } = subscription;
  const redeemed = redeemableByCode(change, promotionCode, { amount: null, currency, customer });
  const discounts = changedDiscounts(change, subscription, [
    ...subscription.discounts.map((discount) => ({ discount: String(discount) })),
    {
      coupon: redeemed.coupon.id,
      ...(redeemed.promotionCode ? { promotion_code: redeemed.promotionCode.id } : {}),
    },
  ]);
  return updateSubscription(change, subscription, { ...subscription, discounts });
}

/** Accepts the coupon that a cancellation flow offers: the subscription stays, with the discount. */
export function acceptOffer(cause: Change, subscription: Subscription, coupon: string): Subscription {
  const change = cause.of(subscription);
  const discounts = changedDiscounts(change, subscription, [{ coupon }]);
  return updateSubscription(change, subscription, { ...subscription, discounts });
}

/**
 * Saves another card as the default payment method of the customer, and of the subscriptions that have one of their
 * own.
 */
export function replaceCard(
  cause: Change,
  customer: Customer,
  card: TestCard,
  authentication: "passed" | "failed",
) {
  if (card.authentication && authentication === "failed") throw cardError(authenticationFailed);
  const change = cause.of(customer);
  const { account, now } = change;
  const payer = { email: customer.email, name: customer.name ?? null };
  const method = attach(change, newPaymentMethod(now, { card, payer, customer: null }), customer);
  const settings = { ...customer.invoice_settings, default_payment_method: method.id };
  const updated = account.customers.put({ ...customer, invoice_settings: settings });
  change.emit("customer.updated", updated, customer);
  for (const subscription of account.subscriptions.of(customer.id)) {
    if (hasEnded(subscription) || subscription.default_payment_method === null) continue;
    updateSubscription(change, subscription, { ...subscription, default_payment_method: method.id });
  }
}

/** Updates the customer's details. */
export function updateCustomerInPortal(
  cause: Change,
  customer: Customer,
  { taxId, ...fields }: Partial<Pick<Customer, "address" | "email" | "name" | "phone">> & {
    taxId?: { type: string; value: string };
  },
) {
  if (taxId) addTaxId(cause.of(customer), customer.id, taxId, "tax_id");
  const updated = cause.account.customers.put({ ...customer, ...fields });
  cause.of(customer).emit("customer.updated", updated, customer);
}
