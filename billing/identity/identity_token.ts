import { z } from "zod";
import { BillingError } from "../errors.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import { communityIdSchema, pluginIdSchema } from "../ids.ts";
import { parentKeys } from "./parent_keys.ts";
import { sharedSecret, verifyToken } from "./verify_token.ts";

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(128),
  cid: communityIdSchema,
  adm: z.boolean(),
  title: z.string().trim().min(1).max(200),
  pluginId: pluginIdSchema.optional(),
  jti: z.string().min(8).max(200),
  exp: z.number(),
  iat: z.number(),
});

const MAX_AGE_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 10;

/** How the parent app signs: with a shared secret, or with a private key whose public half is at an address. */
export type IdentityKey = { secret: string } | { jwksUrl: string };

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
 * Throws `BillingError`: `invalid_identity_token`, `expired_identity_token`, or `parent_unavailable` when the parent's
 * keys cannot be fetched.
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
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: MAX_AGE_SECONDS,
      },
      claims: claimsSchema,
      refusals: {
        expired: ["expired_identity_token", "The identity token has expired."],
        invalid: [
          "invalid_identity_token",
          "The identity token is not one that the parent app signed for Dues.",
        ],
        keysUnavailable: ["parent_unavailable", "The parent app's public keys cannot be fetched."],
      },
    });
    if (identity.exp - identity.iat > MAX_AGE_SECONDS) {
      throw new BillingError(
        "invalid_identity_token",
        "The identity token is valid for more than five minutes.",
      );
    }
    return identity;
  };
}
