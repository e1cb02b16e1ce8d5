import { hkdfSync } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";

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

/** Which requests were signed together, for which plugin. */
export type IdentityTicket = z.output<typeof ticketSchema>;

/**
 * Issues and reads tickets. A ticket says which requests this server has signed together, so that answers to anything
 * else, to requests of long ago, or in the hands of somebody who did not ask, are worth nothing. It is a token and no row
 * in a table: asking costs the database nothing. It works once because its `jti` does.
 *
 * `secret` is any secret text of the server. What signs tickets is derived from it (RFC 5869) and signs nothing else.
 */
export function identityTickets(secret: string) {
  const key = new Uint8Array(hkdfSync("sha256", secret, "", AUDIENCE, 32));

  return {
    issue(ticket: Omit<IdentityTicket, "jti" | "exp">): Promise<string> {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT(ticket).setProtectedHeader({ alg: "HS256" }).setAudience(AUDIENCE)
        .setJti(crypto.randomUUID()).setExpirationTime(now + LIFETIME_SECONDS).sign(key);
    },

    /** Throws `BillingError` `expired_identity_request`, or `invalid_identity_answer` when it is no ticket of ours. */
    async read(ticket: string): Promise<IdentityTicket> {
      try {
        const { payload } = await jwtVerify(ticket, key, { algorithms: ["HS256"], audience: AUDIENCE });
        return ticketSchema.parse(payload);
      } catch (error) {
        if (error instanceof errors.JWTExpired) {
          throw new BillingError(
            "expired_identity_request",
            "This was asked too long ago. Ask Common Ground again.",
            { cause: error },
          );
        }
        throw new BillingError("invalid_identity_answer", "This is no ticket of ours.", { cause: error });
      }
    },
  };
}
