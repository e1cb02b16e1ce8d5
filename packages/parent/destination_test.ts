import assert from "node:assert/strict";
import { allowedDestination, requireOrigin } from "./destination.ts";

const SIMULATOR = "http://127.0.0.1:4103";

for (
  const url of [
    "https://checkout.stripe.com/c/pay/cs_test_1#fragment",
    "https://billing.stripe.com/p/session/1?x=1",
  ]
) {
  Deno.test(`allowedDestination() returns ${url} unchanged`, () => {
    assert.equal(allowedDestination(url, []), url);
  });
}

for (
  const url of [
    "http://checkout.stripe.com/c/pay/1",
    "https://checkout.stripe.com:8443/c/pay/1",
    "https://checkout.stripe.com.evil.test/",
    "https://evil.test/?https://checkout.stripe.com/",
    "https://checkout.stripe.com@evil.test/",
    "https://user:password@checkout.stripe.com/",
    "https://dashboard.stripe.com/",
    "//checkout.stripe.com/",
    "/c/pay/1",
    "javascript:alert(1)",
    "data:text/html,hello",
    "blob:https://checkout.stripe.com/1-2-3",
    "",
    `${SIMULATOR}/checkout/1`,
  ]
) {
  Deno.test(`allowedDestination() refuses "${url}"`, () => {
    assert.equal(allowedDestination(url, []), null);
  });
}

Deno.test("allowedDestination() allows a configured origin, but no other port of its host", () => {
  assert.equal(allowedDestination(`${SIMULATOR}/checkout/1`, [SIMULATOR]), `${SIMULATOR}/checkout/1`);
  assert.equal(allowedDestination("http://127.0.0.1:4104/checkout/1", [SIMULATOR]), null);
});

Deno.test("requireOrigin() returns a bare origin and throws a TypeError with the value for anything else", () => {
  assert.equal(requireOrigin("https://dues.example"), "https://dues.example");
  assert.equal(requireOrigin("http://127.0.0.1:4101"), "http://127.0.0.1:4101");
  for (
    const value of [
      "",
      "*",
      "null",
      "dues.example",
      "https://dues.example/",
      "https://dues.example/x",
      "file://",
    ]
  ) {
    assert.throws(
      () => requireOrigin(value),
      new TypeError(`Dues needs an origin such as https://dues.example, not "${value}"`),
    );
  }
});
