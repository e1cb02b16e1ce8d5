import { z } from "zod";
import { BillingError } from "../errors.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import { communityIdSchema, pluginIdSchema } from "../ids.ts";
import { parentKeys } from "./parent_keys.ts";
import { communityTitle } from "./community_title.ts";
import { sharedSecret, verifyToken } from "./verify_token.ts";

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(128),
  cid: communityIdSchema,
  adm: z.boolean(),
  title: z.unknown().optional(),
  pluginId: pluginIdSchema.optional(),
  jti: z.string().min(8).max(200),
  exp: z.number(),
  iat: z.number(),
}).transform((claims) => ({ ...claims, title: communityTitle(claims.title, claims.cid) }));

const MAX_AGE_SECONDS = 300;
/** How far the parent app's clock may be ahead. */
const AHEAD_SECONDS = 60;
/** How long a token that has expired still counts, because the parent app's clock may be behind. */
const BEHIND_SECONDS = 10;

/** How the parent app signs: with a shared secret, or with a private key whose public half is at an address. */
export type IdentityKey = { secret: string } | { jwksUrl: string };

const EXPIRED = [
  "expired_identity_token",
  "The identity token has expired, or the parent app's clock is behind.",
] as const;

interface VerifierOptions {
  key: IdentityKey;
  /** The parent app's origin. */
  issuer: string;
  /** The plugin's origin. */
  audience: string;
}

const proofSchema = z.strictObject({ identityToken: z.string().min(1) });

/** Proof by an identity token, which the parent app's server signs. */
export function tokenProvider(options: VerifierOptions): IdentityProvider<z.output<typeof proofSchema>> {
  const verify = identityTokenVerifier(options);
  return { proofSchema, maxProofBytes: 16 * 1024, verify: ({ identityToken }) => verify(identityToken) };
}

/**
 * Makes the function that verifies identity tokens (RFC 7519): signature, issuer, audience, lifetime of at most five
 * minutes, and every claim. It does not check that a token is used only once; the database does.
 *
 * Throws `BillingError`: `invalid_identity_token`, `expired_identity_token`, `parent_clock_ahead`, `invalid_text`, or
 * `parent_unavailable` when the parent's keys cannot be fetched.
 */
export function identityTokenVerifier({ key, issuer, audience }: VerifierOptions) {
  const keys = "jwksUrl" in key
    ? parentKeys({ url: key.jwksUrl, issuer, audience })
    : sharedSecret(key.secret);
  // Each kind of key has its own algorithms, so that a public key is never accepted as a shared secret (RFC 8725, 3.1).
  const algorithms = "jwksUrl" in key ? ["ES256", "EdDSA", "RS256", "PS256"] : ["HS256"];

  return async function verifyIdentityToken(token: string): Promise<Identity> {
    const identity = await verifyToken(token, {
      keys,
      options: {
        algorithms,
        issuer,
        audience,
        clockTolerance: AHEAD_SECONDS,
        maxTokenAge: MAX_AGE_SECONDS,
      },
      claims: claimsSchema,
      refusals: {
        expired: EXPIRED,
        notYet: [
          "parent_clock_ahead",
          `The identity token is of the future: the parent app's clock is more than ${AHEAD_SECONDS} seconds ahead of this server's. One of the two has to be set right.`,
        ],
        invalid: [
          "invalid_identity_token",
          "The identity token is not one that the parent app signed for Dues.",
        ],
        keysUnavailable: ["parent_unavailable", "The parent app's public keys cannot be fetched."],
      },
    });
    // The tolerance above also counts in the other direction, where it is more than is needed.
    const expiredBefore = Math.floor(Date.now() / 1000) - BEHIND_SECONDS;
    if (identity.exp <= expiredBefore || identity.iat + MAX_AGE_SECONDS < expiredBefore) {
      throw new BillingError(...EXPIRED);
    }
    if (identity.exp - identity.iat > MAX_AGE_SECONDS) {
      throw new BillingError(
        "invalid_identity_token",
        "The identity token is valid for more than five minutes.",
      );
    }
    return identity;
  };
}
