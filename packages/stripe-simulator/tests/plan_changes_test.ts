import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  at,
  changeCard,
  type ClockSimulator,
  createPro,
  iso,
  startSimulatorWithClock,
  storySince,
  subscribe,
} from "../testing.ts";

/** A subscription of 15 dollars in the middle of its period of 30 days, and a price of 45 dollars. */
async function halfway() {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const subscribed = await subscribe(rig);
  const team = await createPro(rig.stripe, { unit_amount: 4500 });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  const [item] = subscribed.subscription.items.data;
  return { ...rig, ...subscribed, team, item };
}

const linesOf = (invoice: Stripe.Invoice) =>
  invoice.lines.data.map((line) => [line.amount, line.parent?.subscription_item_details?.proration]);

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

Deno.test("a change of plan is prorated on the next invoice", async () => {
  await using rig = await halfway();
  const { stripe, subscription, item, team } = rig;
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, price: team.id }] });
  const pending = await stripe.invoiceItems.list({ pending: true });
  assert.deepEqual(
    pending.data.map(({ amount, description, proration }) => [amount, description, proration]),
    [
      [2250, "Remaining time on Pro after 16 Apr 2026", true],
      [-750, "Unused time on Pro after 16 Apr 2026", true],
    ],
  );
  assert.equal((await newestInvoice(rig, subscription)).billing_reason, "subscription_create");
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual(linesOf(invoice), [[-750, true], [2250, true], [4500, false]]);
  assert.deepEqual([invoice.total, invoice.amount_paid], [6000, 6000]);
  assert.deepEqual((await stripe.invoiceItems.list({ pending: true })).data, []);
});

Deno.test("always_invoice collects the proration immediately", async () => {
  await using rig = await halfway();
  const { stripe, subscription, item, team } = rig;
  const changed = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: team.id }],
    proration_behavior: "always_invoice",
    expand: ["latest_invoice"],
  });
  const invoice = changed.latest_invoice as Stripe.Invoice;
  assert.deepEqual([invoice.status, invoice.billing_reason, invoice.amount_paid], [
    "paid",
    "subscription_update",
    1500,
  ]);
  assert.deepEqual((await storySince(rig, "2026-04-16T00:00:00Z")).map((line) => line.split(" ")[1]), [
    "invoiceitem.created",
    "invoiceitem.created",
    "customer.subscription.updated",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
  ]);
});

Deno.test("proration_behavior none bills nothing until the next period", async () => {
  await using rig = await halfway();
  const { stripe, subscription, item, team } = rig;
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: team.id }],
    proration_behavior: "none",
  });
  await rig.advanceTo("2026-05-01T01:00:00Z");
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [[4500, false]]);
});

Deno.test("an invoiced downgrade leaves a credit that the next invoice uses", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item } = rig;
  const small = await createPro(stripe, { unit_amount: 500 });
  const changed = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: small.id }],
    proration_behavior: "always_invoice",
    expand: ["latest_invoice"],
  });
  const invoice = changed.latest_invoice as Stripe.Invoice;
  assert.deepEqual([invoice.status, invoice.total, invoice.amount_due, invoice.ending_balance], [
    "paid",
    -500,
    0,
    -500,
  ]);
  assert.equal((await stripe.customers.retrieve(customer.id) as Stripe.Customer).balance, -500);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const next = await newestInvoice(rig, subscription);
  assert.deepEqual([next.total, next.starting_balance, next.amount_due, next.ending_balance, next.status], [
    500,
    -500,
    0,
    0,
    "paid",
  ]);
});

Deno.test("changed quantities and added or deleted items are prorated", async () => {
  await using rig = await halfway();
  const { stripe, subscription, item, team } = rig;
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, quantity: 3 }] });
  const added = await stripe.subscriptions.update(subscription.id, { items: [{ price: team.id }] });
  assert.equal(added.items.data.length, 2);
  assert.equal(added.items.data[1].current_period_end, item.current_period_end);
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, deleted: true }] });
  const amounts = (await stripe.invoiceItems.list({ pending: true })).data.map(({ amount }) => amount)
    .reverse();
  assert.deepEqual(amounts, [-750, 2250, 2250, -2250]);
  await assert.rejects(
    stripe.subscriptions.update(subscription.id, { items: [{ id: added.items.data[1].id, deleted: true }] }),
    { statusCode: 400, param: "items" },
  );
});

/** A change from 15 dollars a month to 150 dollars a year, collected immediately. */
async function changeToYearly(
  { stripe, subscription, item }: Awaited<ReturnType<typeof halfway>>,
  fields: Stripe.SubscriptionUpdateParams = {},
) {
  const yearly = await createPro(stripe, { unit_amount: 15000, recurring: { interval: "year" } });
  const changed = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: yearly.id }],
    proration_behavior: "always_invoice",
    expand: ["latest_invoice"],
    ...fields,
  });
  const [{ current_period_start: start, current_period_end: end }] = changed.items.data;
  const times = [changed.billing_cycle_anchor, start, end].map(iso);
  return { changed, times, invoice: changed.latest_invoice as Stripe.Invoice };
}

Deno.test("another interval keeps the anchor in flexible mode: the period gets the new length and is prorated", async () => {
  await using rig = await halfway();
  const { times, invoice } = await changeToYearly(rig);
  assert.deepEqual(times, ["2026-04-01T00:00", "2026-04-01T00:00", "2027-04-01T00:00"]);
  assert.deepEqual(linesOf(invoice), [[-750, true], [14384, true]]);
  const [credit, charge] = invoice.lines.data;
  assert.deepEqual([credit, charge].map(({ discountable }) => discountable), [false, false]);
  assert.deepEqual([credit, charge].map(({ pricing }) => pricing?.unit_amount_decimal), [null, null]);
  assert.deepEqual([credit, charge].map(({ period }) => iso(period.end)), [
    "2026-05-01T00:00",
    "2027-04-01T00:00",
  ]);
  const credited = credit.parent?.subscription_item_details?.proration_details?.credited_items;
  assert.equal(credited?.invoice, rig.subscription.latest_invoice);
  assert.match(credited?.invoice_line_items[0] ?? "", /^il_/);
  await rig.advanceTo("2027-04-01T02:00:00Z");
  const renewed = await rig.stripe.subscriptions.retrieve(rig.subscription.id);
  assert.equal(iso(renewed.items.data[0].current_period_end), "2028-04-01T00:00");
});

Deno.test("another interval with billing_cycle_anchor now starts a new period and credits the old one", async () => {
  await using rig = await halfway();
  const { times, invoice } = await changeToYearly(rig, {
    billing_cycle_anchor: { type: "now" },
    proration_behavior: "create_prorations",
  });
  assert.deepEqual(times, ["2026-04-16T00:00", "2026-04-16T00:00", "2027-04-16T00:00"]);
  assert.deepEqual(linesOf(invoice), [[-750, true], [15000, false]]);
  assert.deepEqual([invoice.status, invoice.amount_paid], ["paid", 14250]);
});

Deno.test("another interval starts a new period in classic mode", async () => {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  await using _ = rig;
  const { subscription } = await subscribe(rig, { billing_mode: { type: "classic" } });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  const yearly = await createPro(rig.stripe, { unit_amount: 15000, recurring: { interval: "year" } });
  const changed = await rig.stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0].id, price: yearly.id }],
  });
  assert.equal(iso(changed.billing_cycle_anchor), "2026-04-16T00:00");
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [[-750, true], [15000, false]]);
});

Deno.test("billing_cycle_anchor now starts a new period with the same plan", async () => {
  await using rig = await halfway();
  const { stripe, subscription } = rig;
  const changed = await stripe.subscriptions.update(subscription.id, {
    billing_cycle_anchor: { type: "now" },
  });
  assert.equal(iso(changed.items.data[0].current_period_end), "2026-05-16T00:00");
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [[-750, true], [1500, false]]);
});

Deno.test("a change of plan during a trial is not billed", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { subscription } = await subscribe(rig, { trial_period_days: 20 });
  const team = await createPro(stripe, { unit_amount: 4500 });
  await rig.advanceTo("2026-04-05T00:00:00Z");
  const [item] = subscription.items.data;
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, price: team.id }] });
  await rig.advanceTo("2026-04-21T01:00:00Z");
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [[4500, false]]);
});

Deno.test("trial_end now ends the trial and starts a paid period", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { subscription } = await subscribe(rig, { trial_period_days: 20 });
  await rig.advanceTo("2026-04-05T00:00:00Z");
  const active = await stripe.subscriptions.update(subscription.id, {
    trial_end: "now",
    expand: ["latest_invoice"],
  });
  assert.deepEqual([active.status, iso(active.trial_end), iso(active.items.data[0].current_period_end)], [
    "active",
    "2026-04-05T00:00",
    "2026-05-05T00:00",
  ]);
  assert.equal((active.latest_invoice as Stripe.Invoice).amount_paid, 1500);
});

Deno.test("trial_end starts a trial within a period and extends it", async () => {
  await using rig = await halfway();
  const { stripe, subscription } = rig;
  const trialing = await stripe.subscriptions.update(subscription.id, {
    trial_end: at("2026-05-10T00:00:00Z"),
  });
  assert.deepEqual([trialing.status, iso(trialing.items.data[0].current_period_end)], [
    "trialing",
    "2026-05-10T00:00",
  ]);
  assert.deepEqual((await stripe.invoiceItems.list({ pending: true })).data.map(({ amount }) => amount), [
    -750,
  ]);
  const longer = await stripe.subscriptions.update(subscription.id, {
    trial_end: at("2026-05-20T00:00:00Z"),
  });
  assert.equal(iso(longer.trial_end), "2026-05-20T00:00");
  await rig.advanceTo("2026-05-20T01:00:00Z");
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [[-750, true], [1500, false]]);
  await assert.rejects(stripe.subscriptions.update(subscription.id, { trial_end: 1 }), {
    statusCode: 400,
    param: "trial_end",
  });
});

Deno.test("a change of plan with a failed payment is kept and makes the subscription past_due", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item, team } = rig;
  await changeCard(rig, customer.id, "pm_card_chargeCustomerFail");
  const changed = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: team.id }],
    proration_behavior: "always_invoice",
  });
  assert.deepEqual([changed.status, changed.items.data[0].price.id], ["past_due", team.id]);
});

Deno.test("error_if_incomplete refuses a change that cannot be paid with 402 and changes nothing", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item, team } = rig;
  await changeCard(rig, customer.id, "pm_card_chargeCustomerFail");
  await assert.rejects(
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: team.id }],
      proration_behavior: "always_invoice",
      payment_behavior: "error_if_incomplete",
    }),
    { statusCode: 402, code: "card_declined" },
  );
  const unchanged = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([unchanged.status, unchanged.items.data[0].price.id], ["active", rig.price.id]);
  assert.deepEqual((await stripe.invoiceItems.list({ customer: customer.id })).data, []);
});

Deno.test("pending_if_incomplete keeps the old plan until the change is paid", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item, team } = rig;
  await changeCard(rig, customer.id, "pm_card_chargeCustomerFail");
  const change = () =>
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: item.id, price: team.id }],
      proration_behavior: "always_invoice",
      payment_behavior: "pending_if_incomplete",
    });
  const pending = await change();
  assert.deepEqual([pending.status, pending.items.data[0].price.id], ["active", rig.price.id]);
  assert.equal(pending.pending_update?.subscription_items?.[0].price.id, team.id);
  await changeCard(rig, customer.id, "pm_card_visa");
  await stripe.invoices.pay(String(pending.latest_invoice));
  const applied = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([applied.pending_update, applied.items.data[0].price.id], [null, team.id]);
  const types = (await storySince(rig, "2026-04-16T00:00:00Z")).map((line) => line.split(" ")[1]);
  assert.ok(types.includes("customer.subscription.pending_update_applied"));
});

Deno.test("a pending update that is not paid within 23 hours is dropped and its invoice voided", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item, team } = rig;
  await changeCard(rig, customer.id, "pm_card_chargeCustomerFail");
  const { latest_invoice } = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: team.id }],
    proration_behavior: "always_invoice",
    payment_behavior: "pending_if_incomplete",
  });
  await rig.advanceTo("2026-04-16T23:00:00Z");
  const dropped = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([dropped.status, dropped.pending_update, dropped.items.data[0].price.id], [
    "active",
    null,
    rig.price.id,
  ]);
  assert.equal((await stripe.invoices.retrieve(String(latest_invoice))).status, "void");
  const story = await storySince(rig, "2026-04-16T23:00:00Z");
  assert.equal(story.at(-1), "2026-04-16T23:00 customer.subscription.pending_update_expired");
});

Deno.test("canceling with prorate and invoice_now credits the unused time", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer } = rig;
  const canceled = await stripe.subscriptions.cancel(subscription.id, { prorate: true, invoice_now: true });
  assert.equal(canceled.status, "canceled");
  const invoice = await stripe.invoices.retrieve(String(canceled.latest_invoice));
  assert.deepEqual([invoice.status, invoice.total, invoice.amount_due], ["paid", -750, 0]);
  assert.equal((await stripe.customers.retrieve(customer.id) as Stripe.Customer).balance, -750);
});

Deno.test("a paused subscription is not billed and starts a new period when it is resumed", async () => {
  await using rig = await halfway();
  const { stripe, subscription } = rig;
  const paused = await stripe.subscriptions.pause(subscription.id);
  assert.deepEqual([paused.status, paused.status_details?.paused.subscription.type], [
    "paused",
    "pause_requested",
  ]);
  assert.deepEqual((await stripe.invoiceItems.list({ pending: true })).data.map(({ amount }) => amount), [
    -750,
  ]);
  await rig.advanceTo("2026-05-10T00:00:00Z");
  assert.equal((await newestInvoice(rig, subscription)).billing_reason, "subscription_create");
  const resumed = await stripe.subscriptions.resume(subscription.id, { expand: ["latest_invoice"] });
  assert.deepEqual([resumed.status, iso(resumed.items.data[0].current_period_end)], [
    "active",
    "2026-06-10T00:00",
  ]);
  assert.equal((resumed.latest_invoice as Stripe.Invoice).amount_paid, 750);
  const types = (await storySince(rig, "2026-04-16T00:00:00Z")).map((line) => line.split(" ")[1]);
  assert.ok(
    types.includes("customer.subscription.paused") && types.includes("customer.subscription.resumed"),
  );
  await assert.rejects(stripe.subscriptions.resume(subscription.id), { statusCode: 400 });
});

Deno.test("resume_on_payment_success keeps the pause until the invoice is paid", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer } = rig;
  await stripe.subscriptions.pause(subscription.id, { bill_for: { unused_time_from: { type: "none" } } });
  await changeCard(rig, customer.id, "pm_card_chargeCustomerFail");
  const waiting = await stripe.subscriptions.resume(subscription.id, {
    payment_behavior: "resume_on_payment_success",
  });
  assert.equal(waiting.status, "paused");
  await changeCard(rig, customer.id, "pm_card_visa");
  await stripe.invoices.pay(String(waiting.latest_invoice));
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "active");
});

Deno.test("a subscription resumed with an unchanged anchor is billed for the rest of its period", async () => {
  await using rig = await halfway();
  const { stripe, subscription } = rig;
  await stripe.subscriptions.pause(subscription.id, { bill_for: { unused_time_from: { type: "none" } } });
  await rig.advanceTo("2026-05-16T12:00:00Z");
  const resumed = await stripe.subscriptions.resume(subscription.id, {
    billing_cycle_anchor: { type: "unchanged" },
    proration_behavior: "always_invoice",
    expand: ["latest_invoice"],
  });
  assert.equal(iso(resumed.items.data[0].current_period_end), "2026-06-01T00:00");
  assert.deepEqual(linesOf(resumed.latest_invoice as Stripe.Invoice), [[750, true]]);
});

Deno.test("create_preview shows the invoice of a change and stores nothing", async () => {
  await using rig = await halfway();
  const { stripe, subscription, customer, item, team } = rig;
  const next = await stripe.invoices.createPreview({ subscription: subscription.id });
  assert.match(next.id, /^upcoming_in_/);
  assert.deepEqual([next.amount_due, iso(next.period_end)], [1500, "2026-05-01T00:00"]);
  const change = { items: [{ id: item.id, price: team.id }] };
  const prorated = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { ...change, proration_behavior: "create_prorations" },
  });
  assert.deepEqual(linesOf(prorated), [[-750, true], [2250, true], [4500, false]]);
  const atOnce = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { ...change, proration_behavior: "always_invoice" },
  });
  assert.deepEqual([atOnce.amount_due, linesOf(atOnce)], [1500, [[-750, true], [2250, true]]]);
  const start = await stripe.invoices.createPreview({
    customer: customer.id,
    subscription_details: { items: [{ price: team.id, quantity: 2 }] },
  });
  assert.equal(start.amount_due, 9000);
  assert.deepEqual((await stripe.invoiceItems.list({ customer: customer.id })).data, []);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0].price.id, rig.price.id);
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await assert.rejects(stripe.invoices.createPreview({ subscription: subscription.id }), {
    code: "invoice_upcoming_none",
  });
});

Deno.test("a later billing_cycle_anchor bills a prorated first period", async () => {
  await using rig = await startSimulatorWithClock("2026-04-16T00:00:00Z");
  const { subscription } = await subscribe(rig, { billing_cycle_anchor: at("2026-05-01T00:00:00Z") });
  assert.equal(iso(subscription.items.data[0].current_period_end), "2026-05-01T00:00");
  assert.equal((await newestInvoice(rig, subscription)).amount_paid, 750);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  assert.equal((await newestInvoice(rig, subscription)).amount_paid, 1500);
});
