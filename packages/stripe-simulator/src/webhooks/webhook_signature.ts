import { createHmac } from "node:crypto";

/**
 * Returns the `Stripe-Signature` header of a body: `t` is the time of sending in seconds, each `v1` the HMAC-SHA256
 * of `t.body` with one of the secrets (https://docs.stripe.com/webhooks#verify-manually).
 */
export function signatureHeader(body: string, secrets: string[], timestamp: number): string {
  const signatures = secrets.map((secret) => {
    return `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
  });
  return [`t=${timestamp}`, ...signatures].join(",");
}
