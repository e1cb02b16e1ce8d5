import assert from "node:assert/strict";
import { createLanguage } from "../language/language.ts";
import { languages } from "../language/texts.ts";
import { subscriptionWith } from "../testing/billing_info.ts";
import { amountFrom, paidPrice } from "./paid_amount.ts";

const english = createLanguage(languages[0]);
const discount = (more: object) => ({
  name: null,
  percentOff: null,
  amountOff: null,
  currency: null,
  endsAt: null,
  ...more,
});

Deno.test("amountFrom() takes discounts off in their order, never below zero, in whole smallest units", () => {
  const amountWith = (...discounts: object[]) =>
    amountFrom(subscriptionWith({ amount: 2999, discounts: discounts.map(discount) }));
  assert.equal(amountWith(), 2999);
  assert.equal(amountWith({ percentOff: 33.3 }), 2000);
  assert.equal(amountWith({ percentOff: 50 }, { amountOff: 500, currency: "usd" }), 1000);
  assert.equal(amountWith({ amountOff: 500, currency: "usd" }, { percentOff: 50 }), 1250);
  assert.equal(amountWith({ amountOff: 5000, currency: "usd" }), 0);
  assert.equal(amountWith({ amountOff: 500, currency: "eur" }), 2999, "of another currency");
});

Deno.test("amountFrom() leaves out discounts that have ended by the moment, and decimals as they are", () => {
  const subscription = subscriptionWith({
    amount: 1000,
    discounts: [
      discount({ percentOff: 50, endsAt: "2027-05-01T00:00:00+00:00" }),
      discount({ percentOff: 10 }),
    ],
  });
  assert.equal(amountFrom(subscription), 450);
  assert.equal(amountFrom(subscription, "2027-04-30T23:59:59Z"), 450);
  assert.equal(amountFrom(subscription, "2027-05-01T00:00:00Z"), 900);
  assert.equal(amountFrom(subscriptionWith({ amount: 0.5 })), 0.5);
  assert.equal(amountFrom(subscriptionWith({ amount: null })), null);
});

Deno.test("paidPrice() names amount and interval, and is null when there is no one price", () => {
  assert.equal(
    paidPrice(subscriptionWith({ amount: 5700, quantity: 3, intervalCount: 2 }), english),
    "$57 every 2 months",
  );
  assert.equal(paidPrice(subscriptionWith({ amount: null }), english), null);
  assert.equal(paidPrice(subscriptionWith({ interval: null }), english), null);
});
