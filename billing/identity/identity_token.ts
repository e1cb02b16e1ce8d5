import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { BillingError } from "../errors.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import { communityIdSchema, pluginIdSchema } from "../ids.ts";

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

/** How the parent app signs: with a secret both know, or with a private key whose public half is at an address. */
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
 * minutes, and every claim. It promises nothing about single use; the database does that.
 *
 * Throws `BillingError`: `invalid_identity_token`, `expired_identity_token`, or `parent_unavailable` when the parent's
 * keys cannot be fetched.
 */
export function identityTokenVerifier({ key, issuer, audience }: VerifierOptions) {
  const keys = "jwksUrl" in key ? createRemoteJWKSet(new URL(key.jwksUrl)) : sharedSecret(key.secret);
  // A public key must never be accepted as a shared secret, so each way has its own algorithms (RFC 8725, 3.1).
  const algorithms = "jwksUrl" in key ? ["ES256", "EdDSA", "RS256", "PS256"] : ["HS256"];

  return async function verifyIdentityToken(token: string): Promise<Identity> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms,
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: MAX_AGE_SECONDS,
      });
      const identity = claimsSchema.parse(payload);
      if (identity.exp - identity.iat > MAX_AGE_SECONDS) {
        throw new BillingError(
          "invalid_identity_token",
          "The identity token is valid for more than five minutes.",
        );
      }
      return identity;
    } catch (error) {
      throw asBillingError(error);
    }
  };
}

const sharedSecret = (secret: string): JWTVerifyGetKey => {
  const bytes = new TextEncoder().encode(secret);
  return () => bytes;
};

function asBillingError(error: unknown): unknown {
  if (error instanceof BillingError) return error;
  if (error instanceof errors.JWTExpired) {
    return new BillingError("expired_identity_token", "The identity token has expired.", { cause: error });
  }
  if (error instanceof z.ZodError) {
    const claims = [...new Set(error.issues.map((issue) => issue.path.join(".")))].join(", ");
    return new BillingError(
      "invalid_identity_token",
      `The identity token lacks or misuses claims: ${claims}.`,
      {
        cause: error,
      },
    );
  }
  const keysAway = error instanceof errors.JWKSTimeout || error instanceof TypeError ||
    error instanceof errors.JWKSInvalid ||
    (error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC");
  if (keysAway) {
    return new BillingError("parent_unavailable", "The parent app's public keys cannot be fetched.", {
      cause: error,
    });
  }
  if (error instanceof errors.JOSEError) {
    return new BillingError(
      "invalid_identity_token",
      "The identity token is not one the parent app signed for us.",
      {
        cause: error,
      },
    );
  }
  return error;
}
