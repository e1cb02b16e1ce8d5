import assert from "node:assert/strict";
import type Stripe from "stripe";
import { startSimulatorWithClock, subscribe } from "../testing.ts";
import { compare } from "./conformance/compare.ts";
import samples from "./fixtures/capability_samples.json" with { type: "json" };

const newer = "Added by Stripe after the sample was made; the SDK's types of this API version require it.";
const ofThisRefund = "A card's refund; the sample's is a reversal, which has no reference.";

/** Every intended difference from the official sample, by type of object and field, with its reason. */
const explained: Record<string, Record<string, string>> = {
  dispute: { "evidence_details.submission_method": newer, intended_submission_method: newer },
  refund: {
    "destination_details.card.reference_status": ofThisRefund,
    "destination_details.card.reference_type": ofThisRefund,
  },
  subscription_schedule: {
    "billing_mode.flexible.proration_discounts":
      "Shown in flexible billing mode; the sample is in classic mode.",
    pause_schedules: newer,
    "phases[].items[].plan": "An id unless it is expanded; the sample shows it expanded.",
  },
};

Deno.test("the objects of discounts, taxes, refunds and schedules have the fields of Stripe's samples", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe, simulator } = rig;
  const found = new Map<string, unknown>();
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: "forever" });
  const code = await stripe.promotionCodes.create({ promotion: { type: "coupon", coupon: coupon.id } });
  const { customer, subscription } = await subscribe(rig, { discounts: [{ promotion_code: code.id }] });
  const expanded = await stripe.subscriptions.retrieve(subscription.id, { expand: ["discounts"] });
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const [charge] = (await stripe.charges.list({ customer: customer.id })).data;
  const refund = await stripe.refunds.create({ charge: charge.id, amount: 100 });
  const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice));
  const note = await stripe.creditNotes.create({
    invoice: invoice.id,
    credit_amount: 200,
    lines: [{ type: "invoice_line_item", invoice_line_item: invoice.lines.data[0].id, amount: 200 }],
  });
  const [transaction] = (await stripe.customers.listBalanceTransactions(customer.id)).data;
  const disputed = await fetch(`${simulator.url}/_sim/charges/${charge.id}/dispute`, { method: "POST" });
  const dispute: Stripe.Dispute = await disputed.json();
  const taxId = await stripe.customers.createTaxId(customer.id, { type: "eu_vat", value: "DE123456789" });
  await stripe.customers.update(customer.id, { address: { country: "DE" } });
  await stripe.invoices.createPreview({ subscription: subscription.id, automatic_tax: { enabled: true } });
  const [rate] = (await stripe.taxRates.list()).data;
  found.set("coupon", coupon);
  found.set("promotion_code", code);
  found.set("discount", expanded.discounts[0]);
  found.set("subscription_schedule", schedule);
  found.set("refund", refund);
  found.set("credit_note", note);
  found.set("credit_note_line_item", note.lines.data[0]);
  found.set("customer_balance_transaction", transaction);
  found.set("dispute", dispute);
  found.set("tax_id", taxId);
  found.set("tax_rate", rate);
  found.set("deleted_tax_id", await stripe.customers.deleteTaxId(customer.id, taxId.id));
  found.set("deleted_coupon", await stripe.coupons.del(coupon.id));
  const wrong = Object.entries(samples).flatMap(([object, sample]) =>
    compare(sample, JSON.parse(JSON.stringify(found.get(object)))).filter(({ path }) =>
      !explained[object]?.[path]
    )
      .map(({ path, kind }) => `${object} ${path} ${kind}`)
  );
  assert.deepEqual(wrong, []);
});
