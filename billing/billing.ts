import { readBillingInfo } from "./billing_info.ts";
import { type CheckoutRequest, createCheckoutSession } from "./checkout/checkout.ts";
import type { ServerConfig } from "./config.ts";
import { connectDatabase } from "./db/database.ts";
import type { Deadline } from "./deadline.ts";
import { BillingError } from "./errors.ts";
import type { IdentityProvider } from "./identity/identity_provider.ts";
import { type CommonGroundProvider, commonGroundProvider } from "./identity/common_ground.ts";
import { tokenProvider } from "./identity/identity_token.ts";
import { createPortalSession, type PortalRequest } from "./checkout/portal.ts";
import { measureStripe, observeService } from "./telemetry/service_metrics.ts";
import { readiness } from "./operations/readiness.ts";
import { watchSchedules } from "./operations/schedule_watch.ts";
import {
  type QuotaOptions,
  type QuotaUse,
  releaseQuota,
  requireQuota,
  requireQuotaBatch,
  type UsageEvent,
} from "./quota/quota.ts";
import type { Feature, Resource } from "./quota/guarded_features.ts";
import { enforceResourceLimit, releaseResource } from "./quota/resource_limits.ts";
import type { Identity } from "./identity/identity_provider.ts";
import { type OpenedSession, openSession } from "./identity/session.ts";
import { type Caller, rates } from "./limits/rates.ts";
import { stripeBudget, stripeCallsPerSecond } from "./limits/stripe_budget.ts";
import { stripeVisits } from "./limits/stripe_visits.ts";
import { type Session, sessionTokens } from "./identity/session_token.ts";
import { connectStripe, isLiveKey } from "./stripe.ts";
import { webhookHandler } from "./http/webhook_handler.ts";

/** A role that was taken away pays for this long at most; browsers renew older sessions by themselves. */
const MONEY_SESSION_SECONDS = 120;

/** Everything that the plugin server does, from its configuration. Connections are opened when they are needed. */
export async function createBilling(config: ServerConfig) {
  const db = connectDatabase(config.databaseUrl, { max: 10 });
  const budget = stripeBudget({ perSecond: stripeCallsPerSecond(config.stripe.secretKey) });
  const stripe = connectStripe(config.stripe, budget.fetch as typeof fetch);
  const limits = rates();
  const visits = stripeVisits({ limits, budget });
  const tokens = await sessionTokens({ key: config.sessionKey, issuer: config.pluginUrl });
  const { identityProvider, signIdentityRequests } = connectIdentity(config);
  const deps = {
    db,
    stripe,
    isLive: isLiveKey(config.stripe.secretKey),
    parentAppUrl: config.parentAppUrl,
    portalConfigurationId: config.stripe.portalConfigurationId,
  };

  const ready = readiness({ db, stripe });
  observeService(ready);
  measureStripe(stripe);

  return {
    /** How people prove who they are: `proofSchema` describes what openSession takes. */
    identityProvider,

    /** Signs a browser's requests to Common Ground. Undefined for any other parent app. */
    signIdentityRequests,

    /** How many seconds a session may have been open for what costs money. */
    moneySessionSeconds: MONEY_SESSION_SECONDS,

    /** Counts an action of somebody. Throws `too_many_requests` when a limit is reached. */
    limit: limits.take,

    async openSession(proof: unknown, caller: Caller = {}): Promise<OpenedSession> {
      // After the proof is verified, which costs microseconds: junk uses up nobody's limit.
      const admit = ({ sub, cid }: Identity) =>
        limits.take("session", { ...caller, person: sub, community: cid });
      return await openSession({ db, identityProvider, tokens, admit }, proof);
    },

    /**
     * The session of a session token. Throws `missing_token`, `invalid_token`, `expired_token`, or `stale_session` when it was
     * opened more than `maxAgeSeconds` ago: its role may have changed since.
     */
    async authenticate(
      token: string | undefined,
      { maxAgeSeconds = Infinity }: { maxAgeSeconds?: number } = {},
    ): Promise<Session> {
      if (token === undefined) {
        throw new BillingError("missing_token", "Send the session token: Authorization: Bearer …");
      }
      const session = await tokens.verify(token);
      if (Date.now() / 1000 - session.openedAt > maxAgeSeconds) {
        throw new BillingError(
          "stale_session",
          "Open a new session and try again: this one may be outdated.",
        );
      }
      return session;
    },

    createCheckoutSession: (
      session: Session,
      request: CheckoutRequest,
      deadline?: Deadline,
      caller: Caller = {},
    ) =>
      visits.checkout(
        session,
        request,
        caller,
        () => createCheckoutSession(deps, session, request, deadline),
      ),

    createPortalSession: (
      session: Session,
      request: PortalRequest,
      deadline?: Deadline,
      caller: Caller = {},
    ) => visits.portal(session, caller, () => createPortalSession(deps, session, request, deadline)),

    billingInfo: (session: Session) => readBillingInfo(db, session),

    requireQuota: (session: Session, feature: Feature, options?: QuotaOptions) =>
      requireQuota(deps, session, feature, options),

    requireQuotaBatch: (session: Session, uses: QuotaUse[]) => requireQuotaBatch(deps, session, uses),

    releaseQuota: (session: Session, feature: Feature, usageEvent: UsageEvent, quantity?: number) =>
      releaseQuota(deps, session, feature, usageEvent, quantity),

    enforceResourceLimit: (
      session: Session,
      resource: Resource,
      resourceId: string,
      options?: { leaseSeconds?: number },
    ) => enforceResourceLimit(deps, session, resource, resourceId, options),

    releaseResource: (session: Session, resource: Resource, resourceId: string) =>
      releaseResource(deps, session, resource, resourceId),

    handleWebhook: webhookHandler({ db, stripe, isLive: deps.isLive, secrets: config.webhookSecrets }),

    /** Whether the server can do its work, and how old the last runs and events are. Never rejects. */
    readiness: ready,

    /** Notices scheduled jobs that have stopped, from now on. Returns a function that ends this. */
    watchSchedules: () => watchSchedules(db),
  };
}

/** The identity provider that the configuration names. */
function connectIdentity({ identity, parentAppUrl, pluginUrl }: ServerConfig): {
  identityProvider: IdentityProvider;
  signIdentityRequests?: CommonGroundProvider["signRequests"];
} {
  if (identity.provider === "token") {
    return {
      identityProvider: tokenProvider({ key: identity.key, issuer: parentAppUrl, audience: pluginUrl }),
    };
  }
  const commonGround = commonGroundProvider({ ...identity, issuer: parentAppUrl });
  return { identityProvider: commonGround, signIdentityRequests: commonGround.signRequests };
}

export type Billing = Awaited<ReturnType<typeof createBilling>>;
