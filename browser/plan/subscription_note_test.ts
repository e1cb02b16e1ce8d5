import assert from "node:assert/strict";
import { createLanguage } from "../language/language.ts";
import type { Subscription } from "../api/contract.ts";
import { describeSubscription, type SubscriptionNote } from "./subscription_note.ts";
import { billingInfo, free, pro, subscriptionWith } from "../testing/billing_info.ts";
import { languages } from "../language/texts.ts";

const [english, german] = languages.map(createLanguage);
const noon = "2027-06-15T10:30:00Z";
const may = "2027-05-15T10:30:00Z";
const july = "2027-07-15T10:30:00Z";
const half = (endsAt: string | null) => ({
  name: "Spring",
  percentOff: 50,
  amountOff: null,
  currency: null,
  endsAt,
});
const fiveOff = { name: null, percentOff: null, amountOff: 500, currency: "usd", endsAt: null };

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
    // What is paid is what Stripe says, whatever the plan costs today.
    [
      {
        status: "trialing",
        trialEnd: noon,
        amount: 8700,
        currency: "eur",
        interval: "month",
        intervalCount: 3,
      },
      "calm",
      "Free trial until June 15, 2027, then €87 every 3 months.",
    ],
    [{ status: "trialing", trialEnd: noon, amount: null }, "calm", "Free trial until June 15, 2027."],
    [{ discounts: [half(null)] }, "calm", "Renews on June 15, 2027. 50% off."],
    [
      { discounts: [half(july)] },
      "calm",
      "Renews on June 15, 2027. 50% off until July 15, 2027, then $29 a month.",
    ],
    [
      { discounts: [half(july), fiveOff], amount: 10_000 },
      "calm",
      "Renews on June 15, 2027. 50% off until July 15, 2027, then $95 a month. $5 off.",
    ],
    [
      { status: "trialing", trialEnd: noon, discounts: [half(july)] },
      "calm",
      "Free trial until June 15, 2027, then $14.50 a month. 50% off until July 15, 2027, then $29 a month.",
    ],
    [
      { pausedCollection: { resumesAt: july } },
      "calm",
      "Renews on June 15, 2027. Payments are paused until July 15, 2027.",
    ],
    [{ pausedCollection: { resumesAt: null } }, "calm", "Renews on June 15, 2027. Payments are paused."],
    [
      { scheduledChange: { at: july, planCode: "team", planName: "Team" } },
      "calm",
      "Renews on June 15, 2027. Changes to Team on July 15, 2027.",
    ],
    [
      { scheduledChange: { at: july, planCode: "pro", planName: "Pro" } },
      "calm",
      "Renews on June 15, 2027. The subscription changes on July 15, 2027.",
    ],
    [
      { scheduledChange: { at: july, planCode: null, planName: null } },
      "calm",
      "Renews on June 15, 2027. The subscription changes on July 15, 2027.",
    ],
    [{ currentPeriodEnd: null, pausedCollection: { resumesAt: null } }, "calm", "Payments are paused."],
    [
      {
        cancelAt: noon,
        pausedCollection: { resumesAt: null },
        scheduledChange: { at: july, planCode: null, planName: null },
      },
      "warning",
      "Cancelled. Pro stays until June 15, 2027. You can resume it until then under “Manage billing”. Payments are paused.",
    ],
  ] as [Partial<Subscription>, SubscriptionNote["tone"], string][]
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
  const subscription = subscriptionWith({
    discounts: [half(july)],
    pausedCollection: { resumesAt: july },
    scheduledChange: { at: july, planCode: "team", planName: "Team" },
  });
  assert.equal(
    describeSubscription(billingInfo(pro, { subscription }), german)?.text.replaceAll("\u00a0", " "),
    "Verlängert sich am 15. Juni 2027. 50 % Rabatt bis 15. Juli 2027, danach 29 $ im Monat. " +
      "Die Zahlungen sind bis 15. Juli 2027 ausgesetzt. Wechselt am 15. Juli 2027 zu Team.",
  );
});
