import { readBillingInfo } from "./billing_info.ts";
import { type CheckoutRequest, createCheckoutSession } from "./checkout/checkout.ts";
import type { ServerConfig } from "./config.ts";
import { connectDatabase } from "./db/database.ts";
import { BillingError } from "./errors.ts";
import type { IdentityProvider } from "./identity/identity_provider.ts";
import { type CommonGroundProvider, commonGroundProvider } from "./identity/common_ground.ts";
import { tokenProvider } from "./identity/identity_token.ts";
import { createPortalSession, type PortalRequest } from "./checkout/portal.ts";
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
import { openSession } from "./identity/session.ts";
import { type Session, sessionTokens } from "./identity/session_token.ts";
import { connectStripe } from "./stripe.ts";
import { webhookHandler } from "./http/webhook_handler.ts";

/** Everything that the plugin server does, from its configuration. Connections are opened when they are needed. */
export async function createBilling(config: ServerConfig) {
  const db = connectDatabase(config.databaseUrl, { max: 10 });
  const stripe = connectStripe(config.stripe);
  const tokens = await sessionTokens({ key: config.sessionKey, issuer: config.pluginUrl });
  const { identityProvider, signIdentityRequests } = connectIdentity(config);
  const deps = {
    db,
    stripe,
    parentAppUrl: config.parentAppUrl,
    portalConfigurationId: config.stripe.portalConfigurationId,
  };

  return {
    /** How people prove who they are: `proofSchema` describes what openSession takes. */
    identityProvider,

    /** Signs a browser's requests to Common Ground. Undefined for any other parent app. */
    signIdentityRequests,

    openSession: (proof: unknown) => openSession({ db, identityProvider, tokens }, proof),

    /** The session of a session token. Throws `missing_token`, `invalid_token` or `expired_token`. */
    async authenticate(token: string | undefined): Promise<Session> {
      if (token === undefined) {
        throw new BillingError("missing_token", "Send the session token: Authorization: Bearer …");
      }
      return await tokens.verify(token);
    },

    createCheckoutSession: (session: Session, request: CheckoutRequest) =>
      createCheckoutSession(deps, session, request),

    createPortalSession: (session: Session, request: PortalRequest) =>
      createPortalSession(deps, session, request),

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

    handleWebhook: webhookHandler({ db, stripe, secrets: config.webhookSecrets }),

    /** Whether the server can do its work, and how old the last runs and events are. Never rejects. */
    readiness: readiness({ db, stripe }),

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
