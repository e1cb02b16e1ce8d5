import { hkdfSync } from "node:crypto";
import { SignJWT } from "jose";
import { z } from "zod";
import { pluginIdSchema } from "../ids.ts";
import { verifyToken } from "./verify_token.ts";

const LIFETIME_SECONDS = 120;
const AUDIENCE = "dues:identity-ticket";

const ticketSchema = z.object({
  jti: z.string(),
  exp: z.number(),
  pluginId: pluginIdSchema,
  /** The id of the request that asks for the person. */
  userInfo: z.string(),
  /** The id of the request that asks for the community. */
  communityInfo: z.string(),
});

/** Which two requests were signed together, and for which plugin. */
export type IdentityTicket = z.output<typeof ticketSchema>;

/**
 * Issues and reads tickets. A ticket names the requests that this server signed together. Answers to other requests, to
 * requests of more than two minutes ago, or sent by somebody who does not have the ticket, do not count. A ticket is a
 * token rather than a row in a table, so that asking costs no database call. It works once because its `jti` does.
 *
 * `secret` is any secret text of the server. The key that signs tickets is derived from it (RFC 5869) and used for nothing
 * else.
 */
export function identityTickets(secret: string) {
  const key = new Uint8Array(hkdfSync("sha256", secret, "", AUDIENCE, 32));

  return {
    issue(ticket: Omit<IdentityTicket, "jti" | "exp">): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT(ticket).setProtectedHeader({ alg: "HS256" }).setAudience(AUDIENCE)
        .setJti(crypto.randomUUID()).setExpirationTime(now + LIFETIME_SECONDS).sign(key);
    },

    /** Throws `BillingError` `expired_identity_request`, or `invalid_identity_answer` when this server did not issue it. */
    read: (ticket: string): Promise<IdentityTicket> =>
      verifyToken(ticket, {
        keys: () => key,
        options: { algorithms: ["HS256"], audience: AUDIENCE },
        claims: ticketSchema,
        refusals: {
          expired: [
            "expired_identity_request",
            "The request to Common Ground is too old. Ask Common Ground again.",
          ],
          invalid: ["invalid_identity_answer", "The ticket was not issued by this server."],
        },
      }),
  };
}
