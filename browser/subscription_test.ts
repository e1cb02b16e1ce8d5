import assert from "node:assert/strict";
import { hasLiveSubscription, hasPaidPlan, upgrades } from "./subscription.ts";
import { billingInfo, free, pro, subscriptionWith } from "./testing/billing_info.ts";

for (
  const [status, isLive] of [
    ["active", true],
    ["trialing", true],
    ["past_due", true],
    ["unpaid", true],
    ["paused", true],
    ["canceled", false],
    ["incomplete", false],
    ["incomplete_expired", false],
  ] as const
) {
  Deno.test(`a subscription that is ${status} is ${isLive ? "live" : "over"}`, () => {
    assert.equal(
      hasLiveSubscription(billingInfo(pro, { subscription: subscriptionWith({ status }) })),
      isLive,
    );
  });
}

Deno.test("a payment has arrived when the community is on the plan of its live subscription", () => {
  assert.equal(hasPaidPlan(billingInfo(pro)), true);
  assert.equal(hasPaidPlan(billingInfo(free)), false);
  assert.equal(hasPaidPlan(billingInfo(free, { subscription: subscriptionWith() })), false);
  assert.equal(
    hasPaidPlan(billingInfo(pro, { subscription: subscriptionWith({ status: "canceled" }) })),
    false,
  );
});

Deno.test("dearer plans are on offer, but not beside a live subscription", () => {
  assert.deepEqual(upgrades(billingInfo(free)), [pro]);
  assert.deepEqual(upgrades(billingInfo(pro)), []);
  assert.deepEqual(upgrades(billingInfo(free, { subscription: subscriptionWith({ status: "canceled" }) })), [
    pro,
  ]);
  assert.deepEqual(
    upgrades(billingInfo(free, { subscription: subscriptionWith({ status: "past_due" }) })),
    [],
  );
});
