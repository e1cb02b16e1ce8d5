import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import {
  defaultPortalFeatures,
  newPortalConfiguration,
  type PortalConfiguration,
  type PortalSession,
  portalSessionLifetime,
} from "../objects/portal.ts";
import type { Subscription } from "../objects/subscription.ts";
import { cancelingAtPeriodEnd, cancelNow, continuing, updateSubscription } from "./cancellation.ts";

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

/** Cancels as the portal's configuration says: now, or at the end of the period. */
export function cancelInPortal(
  change: Change,
  subscription: Subscription,
  configuration: PortalConfiguration,
) {
  const { mode } = configuration.features.subscription_cancel;
  if (mode === "immediately") return cancelNow(change, subscription);
  return updateSubscription(change, subscription, cancelingAtPeriodEnd(change, subscription));
}

/** Takes a cancellation back before it takes effect. */
export function renewInPortal(change: Change, subscription: Subscription) {
  return updateSubscription(change, subscription, continuing(subscription));
}
