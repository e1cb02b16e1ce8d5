import assert from "node:assert/strict";
import { createLanguage } from "../language/language.ts";
import { describeSubscription } from "./subscription_note.ts";
import { billingInfo, free, pro, subscriptionWith } from "../testing/billing_info.ts";
import { languages } from "../language/texts.ts";

const [english, german] = languages.map(createLanguage);
const noon = "2027-06-15T10:30:00Z";
const may = "2027-05-15T10:30:00Z";

for (
  const [changes, tone, expected] of [
    [{}, "calm", "Renews on June 15, 2027."],
    [{ status: "trialing", trialEnd: noon }, "calm", "Free trial until June 15, 2027, then $29 a month."],
    [
      { cancelAt: noon },
      "warning",
      "Cancelled. Pro stays until June 15, 2027. You can resume it until then under “Manage billing”.",
    ],
    [
      { status: "trialing", trialEnd: noon, cancelAt: noon },
      "warning",
      "Cancelled. Pro stays until June 15, 2027. You can resume it until then under “Manage billing”.",
    ],
    [
      { status: "past_due", paymentIssue: "payment_failed" },
      "warning",
      "The last payment did not go through. Update the card, and Stripe will try again.",
    ],
    [
      { status: "past_due", paymentIssue: "payment_failed", pastDueSince: may, graceEndsAt: noon },
      "warning",
      "The payment of May 15, 2027 did not go through. Pro stays until June 15, 2027. Update the card, and Stripe will try again.",
    ],
    [{ status: "paused" }, "warning", "The subscription is paused."],
  ] as const
) {
  Deno.test(`describeSubscription() with ${JSON.stringify(changes)} returns "${expected}"`, () => {
    const info = billingInfo(pro, { subscription: subscriptionWith(changes) });
    assert.deepEqual(describeSubscription(info, english), { tone, text: expected });
  });
}

Deno.test("describeSubscription() says that an unpaid subscription has lost its plan", () => {
  const subscription = subscriptionWith({ status: "unpaid", paymentIssue: "payment_failed" });
  const note = describeSubscription(billingInfo(free, { subscription }), english);
  assert.equal(
    note?.text,
    "The last payment did not go through. Your community is on Free until it is paid. Update the card, and Stripe will try again.",
  );
});

Deno.test("describeSubscription() tells a member that an admin can update the card", () => {
  const subscription = subscriptionWith({ status: "past_due", paymentIssue: "payment_failed" });
  const note = describeSubscription(billingInfo(pro, { isAdmin: false, subscription }), english);
  assert.equal(note?.text, "The last payment did not go through. An admin can update the card.");
});

Deno.test("describeSubscription() returns null without a subscription or when it has ended", () => {
  assert.equal(describeSubscription(billingInfo(free), english), null);
  const subscription = subscriptionWith({ status: "canceled", cancelAt: noon });
  assert.equal(describeSubscription(billingInfo(free, { subscription }), english), null);
});

Deno.test("describeSubscription() uses the texts and dates of the language, here German", () => {
  const note = describeSubscription(billingInfo(pro), german);
  assert.equal(note?.text, "Verlängert sich am 15. Juni 2027.");
});
