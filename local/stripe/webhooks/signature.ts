import { createHmac } from "node:crypto";

/**
 * The `Stripe-Signature` header for a body: `t` is the second of sending, `v1` the HMAC-SHA256 of `t.body` under the
 * endpoint's whole secret (https://docs.stripe.com/webhooks#verify-manually).
 */
export function signatureHeader(body: string, secret: string, timestamp: number): string {
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return `t=${timestamp},v1=${signature}`;
}
