import { createHmac } from "node:crypto";

/**
 * The `Stripe-Signature` header for a body: `t` is the second of sending, each `v1` the HMAC-SHA256 of `t.body` under
 * one of the endpoint's whole secrets (https://docs.stripe.com/webhooks#verify-manually).
 */
export function signatureHeader(body: string, secrets: string[], timestamp: number): string {
  const signatures = secrets.map((secret) => {
    return `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
  });
  return [`t=${timestamp}`, ...signatures].join(",");
}
