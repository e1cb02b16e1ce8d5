import assert from "node:assert/strict";
import { communityIdOf, parseStripeReturn, readStripeReturn, withoutStripeReturn } from "./return_address.ts";

Deno.test("readStripeReturn() reads status, session and plugin", () => {
  const address = "https://app.test/c/garden/plugin/p%2F1/?stripe_status=success&session_id=cs_test_a1";
  assert.deepEqual(readStripeReturn(address), {
    message: { type: "stripeCallback", status: "success", sessionId: "cs_test_a1" },
    communityId: "garden",
    pluginId: "p/1",
  });
});

for (const status of ["cancel", "portal_return"]) {
  Deno.test(`readStripeReturn() reads ${status}, which has no session id`, () => {
    assert.deepEqual(readStripeReturn(`https://app.test/c/garden/?stripe_status=${status}`), {
      message: { type: "stripeCallback", status },
      communityId: "garden",
      pluginId: null,
    });
  });
}

Deno.test("withoutStripeReturn() keeps every other parameter and the hash unchanged", () => {
  const address =
    "https://app.test/c/garden/?a=b%20c&&stripe_status=cancel&q=%7E+&session_id=cs_1&x#top?stripe_status";
  assert.equal(withoutStripeReturn(address), "/c/garden/?a=b%20c&&q=%7E+&x#top?stripe_status");
});

for (
  const query of [
    "",
    "?session_id=cs_test_a1",
    "?stripe_status=",
    "?stripe_status=paid",
    "?stripe_status=toString",
    "?Stripe_Status=success",
    "#?stripe_status=success",
  ]
) {
  Deno.test(`readStripeReturn() returns null for "${query}"`, () => {
    assert.equal(readStripeReturn(`https://app.test/c/garden/${query}`), null);
  });
}

for (
  const sessionId of ["", "sub_1", "cs_", "cs_<script>", "{CHECKOUT_SESSION_ID}", `cs_${"a".repeat(251)}`]
) {
  Deno.test(`readStripeReturn() drops the session id "${sessionId.slice(0, 30)}" and keeps the status`, () => {
    const found = readStripeReturn(
      `https://app.test/c/garden/?stripe_status=success&session_id=${encodeURIComponent(sessionId)}`,
    );
    assert.deepEqual(found?.message, { type: "stripeCallback", status: "success" });
  });
}

Deno.test("readStripeReturn() returns null for a plugin id with broken encoding", () => {
  assert.equal(
    readStripeReturn("https://app.test/c/x/plugin/%E0%A4%A/?stripe_status=cancel")?.pluginId,
    null,
  );
});

for (
  const [pathname, communityId] of [
    ["/c/garden/", "garden"],
    ["/c/a%2Fb", "a/b"],
    ["/c/garden/settings/plan", "garden"],
    ["/c/%E0%A4%A/", null],
    ["/c/", null],
    ["/communities/garden/", null],
    ["/x/c/garden/", null],
  ] as const
) {
  Deno.test(`communityIdOf() returns ${communityId} for ${pathname}`, () => {
    assert.equal(communityIdOf(pathname), communityId);
  });
}

Deno.test("parseStripeReturn() accepts what readStripeReturn() returned, and nothing else", () => {
  const stripeReturn = readStripeReturn(
    "https://app.test/c/garden/?stripe_status=success&session_id=cs_test_a1",
  );
  assert.deepEqual(parseStripeReturn(structuredClone(stripeReturn)), stripeReturn);
  for (
    const data of [
      null,
      undefined,
      "success",
      {},
      { message: null },
      { message: { type: "stripeCallback", status: "paid" }, communityId: "garden", pluginId: null },
      { message: { type: "stripeCallback", status: ["success"] } },
    ]
  ) assert.equal(parseStripeReturn(data), null, Deno.inspect(data));
  const malformed = { message: { status: "cancel", sessionId: "<script>" }, communityId: 7, pluginId: {} };
  assert.deepEqual(parseStripeReturn(malformed), {
    message: { type: "stripeCallback", status: "cancel" },
    communityId: null,
    pluginId: null,
  });
});
