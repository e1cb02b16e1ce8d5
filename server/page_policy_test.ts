import assert from "node:assert/strict";
import { pagePolicy } from "./page_policy.ts";

const parentAppUrl = "https://app.example";

/** The sources of one directive. */
const allowed = (policy: string[], directive: string) =>
  policy.find((each) => each.startsWith(`${directive} `))?.split(" ").slice(1);

Deno.test("pagePolicy() lets only the parent app frame a page", () => {
  for (const uiMode of ["hosted", "embedded"] as const) {
    const policy = pagePolicy({ parentAppUrl, checkout: { uiMode, stripeJsUrl: null } });
    assert.deepEqual(allowed(policy, "frame-ancestors"), [parentAppUrl]);
  }
});

Deno.test("pagePolicy() allows no host of Stripe for hosted checkout", () => {
  const policy = pagePolicy({ parentAppUrl, checkout: { uiMode: "hosted", stripeJsUrl: null } });
  assert.doesNotMatch(policy.join(), /stripe/);
});

Deno.test("pagePolicy() allows what Stripe.js needs for embedded checkout", () => {
  const policy = pagePolicy({ parentAppUrl, checkout: { uiMode: "embedded", stripeJsUrl: null } });
  assert.ok(allowed(policy, "script-src")?.includes("https://js.stripe.com"));
  assert.ok(allowed(policy, "frame-src")?.includes("https://checkout.stripe.com"));
  assert.ok(allowed(policy, "connect-src")?.includes("https://api.stripe.com"));
  assert.ok(allowed(policy, "script-src")?.includes("'unsafe-inline'")); // replaced by the nonce
});

Deno.test("pagePolicy() allows the origin of a Stripe.js substitute instead of Stripe's hosts", () => {
  const stripeJsUrl = "http://127.0.0.1:4103/stripe-js/stripe.js";
  const policy = pagePolicy({ parentAppUrl, checkout: { uiMode: "embedded", stripeJsUrl } });
  assert.deepEqual(allowed(policy, "frame-src"), ["http://127.0.0.1:4103"]);
  assert.doesNotMatch(policy.join(), /stripe\.com/);
});
