import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Why a signature is refused. */
export type SignatureFault = "missing" | "malformed" | "too_old" | "no_match";

/** What the header `Stripe-Signature` says. */
export interface SignatureHeader {
  /** When it was signed, in unix seconds, as the text that is signed. */
  timestamp: string;
  /** Of scheme v1: HMAC-SHA-256 as 64 hexadecimal digits, in lower case as Stripe sends them. */
  signatures: string[];
}

/** Stripe sends about 100 bytes for one secret, and one more signature while a secret is being rolled. */
const MAX_HEADER_LENGTH = 2_000;
/** With more of them, one request would cost as much as many. Stripe sends one or two. */
const MAX_SIGNATURES = 8;

/**
 * Reads the header's form: `t=1700000000,v1=5257…,v1=…,v0=…`, elements in any order
 * (https://docs.stripe.com/webhooks#verify-manually). Elements of other schemes are ignored. Undefined when it has another form
 * or no v1 signature.
 */
export function readSignatureHeader(header: string): SignatureHeader | undefined {
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  let timestamp: string | undefined;
  const signatures: string[] = [];
  for (const element of header.split(",")) {
    const [key, value = ""] = element.split("=", 2);
    if (key === "t") {
      if (timestamp !== undefined || !/^\d{1,12}$/.test(value)) return undefined;
      timestamp = value;
    } else if (key === "v1" && /^[0-9a-f]{64}$/.test(value)) signatures.push(value);
  }
  if (timestamp === undefined || signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    return undefined;
  }
  return { timestamp, signatures };
}

export interface Verification {
  /** The body exactly as it was received. */
  body: Uint8Array;
  header: string | null;
  /** Any of them may have signed it. */
  secrets: string[];
  /** How many seconds before now it may have been signed. */
  toleranceSeconds: number;
  /** In unix seconds. */
  now?: number;
}

/**
 * Why the form of the header or its age is refused, which costs no look at the body; undefined when they are fine.
 *
 * As in Stripe's own library, a time in the future is not refused: whoever could sign it could sign any.
 */
export function refuseHeader(
  { header, toleranceSeconds, now = Date.now() / 1000 }: Omit<Verification, "body" | "secrets">,
): SignatureFault | undefined {
  if (header === null) return "missing";
  const parsed = readSignatureHeader(header);
  if (!parsed) return "malformed";
  return Math.floor(now) - Number(parsed.timestamp) > toleranceSeconds ? "too_old" : undefined;
}

/**
 * Why a body is refused; undefined when one of the secrets signed it. In the order of their cost: form of the header, age, then
 * one HMAC over the raw bytes for each secret. Nothing of the body is decoded or parsed. Comparisons take the same time whatever
 * is equal.
 */
export function refuseSignature({ body, secrets, ...about }: Verification): SignatureFault | undefined {
  const fault = refuseHeader(about);
  if (fault) return fault;
  const { timestamp, signatures } = readSignatureHeader(about.header!)!;
  const offered = signatures.map((signature) => Buffer.from(signature, "hex"));
  for (const secret of secrets) {
    const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
    if (offered.some((signature) => timingSafeEqual(signature, expected))) return undefined;
  }
  return "no_match";
}
