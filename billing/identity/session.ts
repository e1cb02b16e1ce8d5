import type { Database } from "../db/database.ts";
import { orUnavailable } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import type { IdentityProvider } from "./identity_provider.ts";
import type { SessionTokens } from "./session_token.ts";

/** What the browser gets for a proof of identity. */
export interface OpenedSession {
  token: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
  community: { id: string; title: string };
  isAdmin: boolean;
  pluginId: string | null;
}

/**
 * Exchanges a proof of identity for a session token: verifies it, uses it up, makes sure its community exists (on the
 * default plan when it is new), and signs the session. Who is an admin comes from the parent app's signature alone.
 *
 * Throws what the provider throws, `used_identity_token` when the proof was exchanged before, and
 * `database_unavailable`.
 */
export async function openSession(
  deps: { db: Database; identityProvider: IdentityProvider; tokens: SessionTokens },
  proof: unknown,
): Promise<OpenedSession> {
  const identity = await deps.identityProvider.verify(proof);
  const [{ opened }] = await orUnavailable(
    deps.db<[{ opened: boolean }]>`
      select billing.open_session(
        ${identity.iss}, ${identity.jti}, ${new Date(identity.exp * 1000)}, ${identity.cid}, ${identity.title}
      ) as opened`,
  );
  if (!opened) {
    throw new BillingError("used_identity_token", "This proof of identity was used before. Each works once.");
  }
  const pluginId = identity.pluginId ?? null;
  const { token, expiresAt } = await deps.tokens.sign({
    userId: identity.sub,
    communityId: identity.cid,
    isAdmin: identity.adm,
    pluginId,
    slug: identity.slug,
  });
  return {
    token,
    expiresAt: expiresAt.toISOString(),
    community: { id: identity.cid, title: identity.title },
    isAdmin: identity.adm,
    pluginId,
  };
}
