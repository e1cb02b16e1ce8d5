import type { Database } from "./database.ts";
import { orUnavailable } from "./database.ts";
import { BillingError } from "./errors.ts";
import type { Identity } from "./identity_token.ts";
import type { SessionTokens } from "./session_token.ts";

/** What the browser gets for an identity token. */
export interface OpenedSession {
  token: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
  community: { id: string; title: string };
  isAdmin: boolean;
  pluginId: string | null;
}

/**
 * Exchanges an identity token for a session token: verifies it, uses it up, makes sure its community exists (on the
 * default plan when it is new), and signs the session. Who is an admin comes from the parent app's signature alone.
 *
 * Throws what the verifier throws, `used_identity_token` when the token was exchanged before, and
 * `database_unavailable`.
 */
export async function openSession(
  deps: { db: Database; verifyIdentityToken: (token: string) => Promise<Identity>; tokens: SessionTokens },
  identityToken: string,
): Promise<OpenedSession> {
  const identity = await deps.verifyIdentityToken(identityToken);
  const [{ opened }] = await orUnavailable(
    deps.db<[{ opened: boolean }]>`
      select billing.open_session(
        ${identity.iss}, ${identity.jti}, ${new Date(identity.exp * 1000)}, ${identity.cid}, ${identity.title}
      ) as opened`,
  );
  if (!opened) {
    throw new BillingError("used_identity_token", "This identity token was used before. Each works once.");
  }
  const pluginId = identity.pluginId ?? null;
  const { token, expiresAt } = await deps.tokens.sign({
    userId: identity.sub,
    communityId: identity.cid,
    isAdmin: identity.adm,
    pluginId,
  });
  return {
    token,
    expiresAt: expiresAt.toISOString(),
    community: { id: identity.cid, title: identity.title },
    isAdmin: identity.adm,
    pluginId,
  };
}
