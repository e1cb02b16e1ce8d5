import { errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import { z } from "zod";
import { KeysUnavailableError } from "./parent_keys.ts";
import { BillingError, type BillingErrorCode } from "../errors.ts";
import { isStorableJson } from "../storable_text.ts";

type Refusal = readonly [code: BillingErrorCode, detail: string];

/** What to answer when a token is refused. */
export interface TokenRefusals {
  expired: Refusal;
  /** For tokens that count later only; by default as invalid ones. */
  notYet?: Refusal;
  /** Also for claims that are missing or wrong. */
  invalid: Refusal;
  /** For keys that are fetched, when they cannot be. */
  keysUnavailable?: Refusal;
}

interface Verification<T extends z.ZodType> {
  keys: JWTVerifyGetKey;
  options: JWTVerifyOptions;
  claims: T;
  refusals: TokenRefusals;
}

/**
 * The claims of a JSON Web Token (RFC 7519), once signature, lifetime, `options` and the shape of the claims are
 * verified. The one place where jose's errors become `BillingError`, with the codes that `refusals` names. A title apart,
 * which is cleaned, text that cannot be stored is refused as in any request: `invalid_text`.
 */
export async function verifyToken<T extends z.ZodType>(
  token: string,
  { keys, options, claims, refusals }: Verification<T>,
): Promise<z.output<T>> {
  try {
    const { payload } = await jwtVerify(token, keys, options);
    if (!isStorableJson({ ...payload, title: undefined })) {
      throw new BillingError(
        "invalid_text",
        "A claim of the token contains NUL or half of a surrogate pair.",
      );
    }
    return claims.parse(payload);
  } catch (error) {
    throw refused(error, refusals);
  }
}

function refused(error: unknown, { expired, notYet, invalid, keysUnavailable }: TokenRefusals): unknown {
  if (error instanceof errors.JWTExpired) return new BillingError(...expired, { cause: error });
  if (notYet && isOfTheFuture(error)) return new BillingError(...notYet, { cause: error });
  if (error instanceof z.ZodError) {
    const names = [...new Set(error.issues.map(({ path }) => path.join(".")))].join(", ");
    const [code, detail] = invalid;
    return new BillingError(code, `${detail} Claims that are missing or wrong: ${names}.`, { cause: error });
  }
  if (keysUnavailable && isKeyFetchFailure(error)) {
    return new BillingError(...keysUnavailable, { cause: error });
  }
  if (error instanceof errors.JOSEError) return new BillingError(...invalid, { cause: error });
  return error;
}

/** Issued, or valid from, later than now. */
const isOfTheFuture = (error: unknown) =>
  error instanceof errors.JWTClaimValidationFailed && ["iat", "nbf"].includes(error.claim) &&
  error.reason === "check_failed";

/** The keys are not there, or are none. */
const isKeyFetchFailure = (error: unknown) =>
  error instanceof KeysUnavailableError || error instanceof errors.JWKSInvalid;

/** A secret that both sides know, as a key. */
export function sharedSecret(secret: string): JWTVerifyGetKey {
  const bytes = new TextEncoder().encode(secret);
  return () => bytes;
}
