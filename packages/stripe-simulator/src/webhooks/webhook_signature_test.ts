import assert from "node:assert/strict";
import Stripe from "stripe";
import { signatureHeader } from "./webhook_signature.ts";

const stripe = new Stripe("sk_test_signature");
const body = JSON.stringify({ id: "evt_1", object: "event", text: "Grüße ✓" });
const now = Math.floor(Date.now() / 1000);

Deno.test("signatureHeader() is accepted by the SDK with the same body and secret", async () => {
  const event = await stripe.webhooks.constructEventAsync(
    body,
    signatureHeader(body, ["whsec_a"], now),
    "whsec_a",
  );
  assert.equal(event.id, "evt_1");
});

Deno.test("signatureHeader() with two secrets is accepted by the SDK with either", async () => {
  const header = signatureHeader(body, ["whsec_new", "whsec_old"], now);
  for (const secret of ["whsec_new", "whsec_old"]) {
    assert.equal((await stripe.webhooks.constructEventAsync(body, header, secret)).id, "evt_1");
  }
});

const forgeries: [name: string, body: string, secret: string, timestamp: number][] = [
  ["another secret", body, "whsec_b", now],
  ["another body", body.replace("evt_1", "evt_2"), "whsec_a", now],
  ["a time too long ago", body, "whsec_a", now - 301],
];

for (const [name, received, secret, timestamp] of forgeries) {
  Deno.test(`signatureHeader() is refused by the SDK for ${name}`, async () => {
    const header = signatureHeader(body, [secret], timestamp);
    await assert.rejects(stripe.webhooks.constructEventAsync(received, header, "whsec_a"), {
      type: "StripeSignatureVerificationError",
    });
  });
}
