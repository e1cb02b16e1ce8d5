import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import type { CommunityId, PluginId } from "../ids.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import type { SessionTokens } from "./session_token.ts";

/** What the browser receives for a proof of identity. */
export interface OpenedSession {
  token: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
  community: { id: CommunityId; title: string };
  isAdmin: boolean;
  pluginId: PluginId | null;
}

/**
 * Exchanges a proof of identity for a session token: verifies the proof, marks it as used, makes sure its community exists
 * (a new one is on the default plan), and signs the session. Only the parent app's signature makes somebody an admin.
 *
 * Throws what the provider and `admit` throw, `used_identity_token` when the proof was exchanged before, and
 * `database_unavailable`.
 */
export async function openSession(
  deps: {
    db: Database;
    identityProvider: IdentityProvider;
    tokens: SessionTokens;
    /** Called with who it is, before anything is stored. Throws when the session is not to be opened now. */
    admit?: (identity: Identity) => Promise<void>;
  },
  proof: unknown,
): Promise<OpenedSession> {
  const identity = await deps.identityProvider.verify(proof);
  await deps.admit?.(identity);
  const opened = await callDatabase(
    z.boolean(),
    deps.db`
      select billing.open_session(
        ${identity.iss}, ${identity.jti}, ${new Date(
      identity.exp * 1000,
    )}, ${identity.cid}, ${identity.title})`,
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
