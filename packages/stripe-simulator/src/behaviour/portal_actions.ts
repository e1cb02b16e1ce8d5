import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { Customer } from "../objects/customer.ts";
import { newPaymentMethod } from "../objects/payment_method.ts";
import {
  defaultPortalFeatures,
  newPortalConfiguration,
  type PortalConfiguration,
  type PortalSession,
  portalSessionLifetime,
} from "../objects/billing_portal.ts";
import type { Price } from "../objects/price.ts";
import { hasEnded, isSetToCancel, type Subscription } from "../objects/subscription.ts";
import { cancelingAtPeriodEnd, continuing, type Feedback } from "./subscriptions/cancellation.ts";
import { updateSubscription } from "./subscriptions/subscription_update.ts";
import { authenticationFailed, type TestCard } from "../objects/test_card.ts";
import { cardError } from "./payments/card_verdict.ts";
import { applyPlanChange, type PlanChange, planChange } from "./subscriptions/plan_change.ts";
import { cancelOnRequest } from "./subscriptions/subscription_end.ts";
import { attach } from "./payments/card_attachment.ts";

/** The account's default configuration. It is there from the start, as in a sandbox whose settings were saved once. */
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

/** The session that an address of the portal belongs to, while it lasts. */
export function findPortalSession(account: Account, token: string): PortalSession | undefined {
  const session = account.portalSessions.oldestFirst().find((session) => session.url.endsWith(`/${token}`));
  const isCurrent = session && session.created + portalSessionLifetime > account.now();
  return isCurrent && account.customers.find(session.customer) ? session : undefined;
}

/** True when the customer may end the subscription. */
export function canCancel({ features }: PortalConfiguration, subscription: Subscription): boolean {
  return features.subscription_cancel.enabled && !hasEnded(subscription) && !isSetToCancel(subscription);
}

/** True when the customer may take back that it ends. */
export function canRenew(subscription: Subscription): boolean {
  return !hasEnded(subscription) && isSetToCancel(subscription);
}

/**
 * True when the customer may choose another plan. Subscriptions of several items and metered ones can only be canceled
 * (https://docs.stripe.com/customer-management#customer-portal-limitations).
 */
export function canUpdate({ features }: PortalConfiguration, subscription: Subscription): boolean {
  const [item, ...others] = subscription.items.data;
  return features.subscription_update.enabled && !hasEnded(subscription) && others.length === 0 &&
    item.price.recurring?.usage_type === "licensed";
}

/** The prices that the configuration offers for the subscription, its own included. */
export function offeredPrices(
  account: Account,
  { features }: PortalConfiguration,
  subscription: Subscription,
): Price[] {
  const ids = (features.subscription_update.products ?? []).flatMap(({ prices }) => prices);
  return ids.flatMap((id) => account.prices.find(id) ?? [])
    .filter((price) => price.active && price.currency === subscription.currency);
}

/** Cancels as the portal's configuration says: now, or at the end of the period. */
export function cancelInPortal(
  cause: Change,
  subscription: Subscription,
  { features }: PortalConfiguration,
  feedback: Feedback = {},
): Subscription {
  const change = cause.of(subscription);
  const { mode, proration_behavior: proration } = features.subscription_cancel;
  if (mode === "immediately") {
    return cancelOnRequest(change, subscription, {
      feedback,
      invoiceNow: proration === "always_invoice",
      prorate: proration !== "none",
    });
  }
  const canceling = cancelingAtPeriodEnd(change, subscription);
  const details = canceling.cancellation_details;
  return updateSubscription(change, subscription, {
    ...canceling,
    cancellation_details: details && { ...details, ...feedback },
  });
}

/** Takes a cancellation back before it takes effect. */
export function renewInPortal(cause: Change, subscription: Subscription): Subscription {
  return updateSubscription(cause.of(subscription), subscription, continuing(subscription));
}

/** What the customer chose. */
export interface PlanChoice {
  price: string;
  quantity?: number;
}

/** What a choice comes to, before it is made. */
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
    items: [{ id: subscription.items.data[0].id, ...choice }],
    proration: proration ?? "none",
    startsPeriod: anchor === "now",
    ...(subscription.status === "trialing" && trial_update_behavior === "end_trial"
      ? { trialEnd: "now" as const }
      : {}),
  });
}

/** Changes the plan. A card that does not pay for it throws its 402, and the plan stays as it is. */
export function updateInPortal(
  cause: Change,
  subscription: Subscription,
  configuration: PortalConfiguration,
  choice: PlanChoice,
): Subscription {
  const change = cause.of(subscription);
  const plan = planInPortal(change, subscription, configuration, choice);
  return applyPlanChange(change, plan, { behavior: "error_if_incomplete", presence: "off_session" });
}

/** Saves another card and charges it from now on, also for the subscriptions that had a card of their own. */
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

/** Changes what the configuration lets the customer change about themselves. */
export function updateCustomerInPortal(
  cause: Change,
  customer: Customer,
  fields: Partial<Pick<Customer, "email" | "name" | "phone">>,
) {
  const updated = cause.account.customers.put({ ...customer, ...fields });
  cause.of(customer).emit("customer.updated", updated, customer);
}
