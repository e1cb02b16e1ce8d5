import assert from "node:assert/strict";
import { canCancel, hasLiveSubscription, hasPaidPlan, largerPlans, needsPayment } from "./subscription.ts";
import { billingInfo, free, pro, subscriptionWith } from "../testing/billing_info.ts";

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
  Deno.test(`hasLiveSubscription() is ${isLive} for status ${status}`, () => {
    assert.equal(
      hasLiveSubscription(billingInfo(pro, { subscription: subscriptionWith({ status }) })),
      isLive,
    );
  });
}

Deno.test("hasPaidPlan() is true only when the community is on the plan of its live subscription", () => {
  assert.equal(hasPaidPlan(billingInfo(pro)), true);
  assert.equal(hasPaidPlan(billingInfo(free)), false);
  assert.equal(hasPaidPlan(billingInfo(free, { subscription: subscriptionWith() })), false);
  assert.equal(
    hasPaidPlan(billingInfo(pro, { subscription: subscriptionWith({ status: "canceled" }) })),
    false,
  );
});

Deno.test("largerPlans() returns the plans that cost more, without the one already subscribed to", () => {
  assert.deepEqual(largerPlans(billingInfo(free)), [pro]);
  assert.deepEqual(largerPlans(billingInfo(pro)), []);
  const canceled = subscriptionWith({ status: "canceled" });
  assert.deepEqual(largerPlans(billingInfo(free, { subscription: canceled })), [pro]);
  const unpaid = subscriptionWith({ status: "unpaid" });
  assert.deepEqual(largerPlans(billingInfo(free, { subscription: unpaid })), []);
});

Deno.test("needsPayment() is true when the subscription is past due, unpaid or has a payment issue", () => {
  const needs = (changes: Parameters<typeof subscriptionWith>[0]) =>
    needsPayment(billingInfo(pro, { subscription: subscriptionWith(changes) }));
  assert.equal(needs({}), false);
  assert.equal(needs({ status: "past_due" }), true);
  assert.equal(needs({ status: "unpaid" }), true);
  assert.equal(needs({ paymentIssue: "payment_failed" }), true);
  assert.equal(needsPayment(billingInfo(free)), false);
});

Deno.test("canCancel() is true for a live subscription that is not cancelled yet", () => {
  const can = (changes: Parameters<typeof subscriptionWith>[0]) =>
    canCancel(billingInfo(pro, { subscription: subscriptionWith(changes) }));
  assert.equal(can({}), true);
  assert.equal(can({ cancelAt: "2027-06-15T10:30:00Z" }), false);
  assert.equal(can({ status: "canceled" }), false);
  assert.equal(canCancel(billingInfo(free)), false);
});
