import { errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import { z } from "zod";
import { KeysUnavailableError } from "./parent_keys.ts";
import { BillingError, type BillingErrorCode } from "../errors.ts";

type Refusal = [code: BillingErrorCode, detail: string];

/** What to answer when a token is refused. */
export interface TokenRefusals {
  expired: Refusal;
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
 * verified. The one place where jose's errors become `BillingError`, with the codes that `refusals` names.
 */
export async function verifyToken<T extends z.ZodType>(
  token: string,
  { keys, options, claims, refusals }: Verification<T>,
): Promise<z.output<T>> {
  try {
    const { payload } = await jwtVerify(token, keys, options);
    return claims.parse(payload);
  } catch (error) {
    throw refused(error, refusals);
  }
}

function refused(error: unknown, { expired, invalid, keysUnavailable }: TokenRefusals): unknown {
  if (error instanceof errors.JWTExpired) return new BillingError(...expired, { cause: error });
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

/** The keys are not there, or are none. */
const isKeyFetchFailure = (error: unknown) =>
  error instanceof KeysUnavailableError || error instanceof errors.JWKSInvalid;

/** A secret that both sides know, as a key. */
export function sharedSecret(secret: string): JWTVerifyGetKey {
  const bytes = new TextEncoder().encode(secret);
  return () => bytes;
}
