import assert from "node:assert/strict";
import { billingInfo, free, pro, subscriptionWith } from "./testing/billing_info.ts";
import { describeSubscription, formatLimit, formatMoney, formatPrice } from "./texts.ts";

for (
  const [amount, currency, expected] of [
    [2900, "usd", "$29"],
    [2950, "usd", "$29.50"],
    [123_456, "eur", "€1,234.56"],
    [2900, "jpy", "¥2,900"],
    [2900, "kwd", "KWD 2.900"],
    [290_000, "isk", "ISK 2,900"],
    [0, "usd", "$0"],
  ] as const
) {
  Deno.test(`${amount} in the smallest unit of ${currency} is written ${expected}`, () => {
    assert.equal(formatMoney(amount, currency).replace(/\u00a0/g, " "), expected);
  });
}

for (
  const [feature, windowSeconds, hardLimit, expected] of [
    ["ai_chat_message", 2_592_000, 100, "100 AI chat messages every 30 days"],
    ["ai_chat_message", 86_400, 1, "1 AI chat message every day"],
    ["ai_chat_message", 3_600, 20, "20 AI chat messages every hour"],
    ["ai_chat_message", 5_400, 20, "20 AI chat messages every 90 minutes"],
    ["active_wizard", 0, 20, "20 active wizards at a time"],
    ["active_wizard", 0, 1, "1 active wizard at a time"],
    ["ai_chat_message", 2_592_000, 10_000, "10,000 AI chat messages every 30 days"],
    ["shared_photo", 7, 3, "3 shared photo every 7 seconds"],
  ] as const
) {
  Deno.test(`a limit reads "${expected}"`, () => {
    assert.equal(formatLimit({ feature, windowSeconds, period: "rolling", hardLimit }), expected);
  });
}

Deno.test("a price names its interval, and no price is free", () => {
  assert.equal(formatPrice(pro), "$29 a month");
  assert.equal(formatPrice({ ...pro, billingInterval: "year" }), "$29 a year");
  assert.equal(formatPrice(free), "Free");
});

const noon = "2027-06-15T10:30:00Z";

for (
  const [changes, tone, expected] of [
    [{}, "calm", "Renews on June 15, 2027."],
    [{ status: "trialing", trialEnd: noon }, "calm", "Free trial until June 15, 2027, then $29 a month."],
    [{ cancelAt: noon }, "warning", "Cancelled: Pro ends on June 15, 2027."],
    [
      { status: "trialing", trialEnd: noon, cancelAt: noon },
      "warning",
      "Cancelled: Pro ends on June 15, 2027.",
    ],
    [
      { status: "past_due", paymentIssue: "payment_failed" },
      "warning",
      "The last payment did not go through. Update the payment method under “Manage billing”.",
    ],
    [{ status: "paused" }, "warning", "The subscription is paused."],
  ] as const
) {
  Deno.test(`a subscription with ${JSON.stringify(changes)} reads "${expected}"`, () => {
    const info = billingInfo(pro, { subscription: subscriptionWith(changes) });
    assert.deepEqual(describeSubscription(info), { tone, text: expected });
  });
}

Deno.test("a member is told that an admin can fix a payment", () => {
  const subscription = subscriptionWith({ status: "past_due", paymentIssue: "payment_failed" });
  const note = describeSubscription(billingInfo(pro, { isAdmin: false, subscription }));
  assert.equal(note?.text, "The last payment did not go through. An admin can fix this.");
});

Deno.test("there is nothing to say about no subscription, or one that is over", () => {
  assert.equal(describeSubscription(billingInfo(free)), null);
  const subscription = subscriptionWith({ status: "canceled", cancelAt: noon });
  assert.equal(describeSubscription(billingInfo(free, { subscription })), null);
});
