import assert from "node:assert/strict";
import fc from "fast-check";
import type Stripe from "stripe";
import { at, startSimulator, type TestSimulator } from "../testing.ts";

/** A price: its amount, its interval and how often. */
const priced = fc.record({
  amount: fc.integer({ min: 0, max: 100_000 }),
  interval: fc.constantFrom("week" as const, "month" as const, "year" as const),
  count: fc.integer({ min: 1, max: 2 }),
});

const coupon = fc.record({
  off: fc.oneof(
    fc.record({ percent_off: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ amount_off: fc.integer({ min: 1, max: 20_000 }), currency: fc.constant("usd") }),
  ),
  duration: fc.constantFrom("forever" as const, "once" as const, "repeating" as const),
});

/** One change of a subscription, some seconds after the start of its period. */
const changes = fc.record({
  first: priced,
  second: priced,
  keepsInterval: fc.boolean(),
  quantities: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  proration: fc.constantFrom("always_invoice" as const, "create_prorations" as const, "none" as const),
  after: fc.double({ min: 0, max: 0.98, noNaN: true }),
  addsItem: fc.boolean(),
  currency: fc.constantFrom("usd" as const, "eur" as const, "jpy" as const),
  country: fc.constantFrom("DE", "GB", "US", "FI"),
  isBusiness: fc.boolean(),
  /** The coupons on the subscription from its start, and those that it gets before the change. */
  coupons: fc.tuple(fc.option(coupon), fc.option(coupon)),
  balance: fc.integer({ min: -5_000, max: 5_000 }),
});

type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

/** What a customer sees of an invoice. */
const seen = (invoice: Stripe.Invoice) => ({
  amount_due: invoice.amount_due,
  discount: invoice.total_discount_amounts?.map(({ amount }) => amount),
  lines: invoice.lines.data.map(({ amount, description, discount_amounts, period, taxes }) => ({
    amount,
    description,
    discounts: discount_amounts?.map((discount) => discount.amount),
    period,
    taxes: taxes?.map((tax) => [tax.amount, tax.taxability_reason]),
  })),
  subtotal: invoice.subtotal,
  taxes: invoice.total_taxes?.map(({ amount }) => amount),
  total: invoice.total,
});

async function createCoupon(
  { stripe }: TestSimulator,
  { off, duration }: NonNullable<Change["coupons"][0]>,
) {
  return await stripe.coupons.create({
    ...off,
    duration,
    ...(duration === "repeating" ? { duration_in_months: 2 } : {}),
    ...("amount_off" in off
      ? { currency_options: { eur: { amount_off: off.amount_off }, jpy: { amount_off: off.amount_off } } }
      : {}),
  });
}

async function createPrice(
  { stripe }: TestSimulator,
  product: string,
  { amount, interval, count }: Change["first"],
) {
  return await stripe.prices.create({
    currency: "usd",
    currency_options: { eur: { unit_amount: amount + 7 }, jpy: { unit_amount: amount + 3 } },
    product,
    recurring: { interval, interval_count: count },
    unit_amount: amount,
  });
}

async function advance({ simulator, stripe }: TestSimulator, clock: string, moment: number) {
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: moment });
  assert.ok(await simulator.idle());
}

/** Previews a change, carries it out, and compares the invoice that follows with the preview. */
async function previewAndChange(rig: TestSimulator, product: string, change: Change) {
  const { stripe } = rig;
  const start = at("2026-01-31T10:00:00Z");
  const { id: clock } = await stripe.testHelpers.testClocks.create({ frozen_time: start });
  const customer = await stripe.customers.create({
    test_clock: clock,
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
    address: { country: change.country },
    tax_id_data: change.isBusiness && change.country === "DE"
      ? [{ type: "eu_vat", value: "DE123456789" }]
      : [],
  });
  const [initial, later] = await Promise.all(
    change.coupons.map((coupon) => coupon && createCoupon(rig, coupon)),
  );
  const first = await createPrice(rig, product, change.first);
  const second = await createPrice(rig, product, {
    ...change.second,
    ...(change.keepsInterval ? { interval: change.first.interval, count: change.first.count } : {}),
  });
  const extra = await createPrice(rig, product, { ...change.first, amount: 777 });
  const { id, items: { data: [item] } } = await stripe.subscriptions.create({
    customer: customer.id,
    currency: change.currency,
    automatic_tax: { enabled: true },
    items: [{ price: first.id, quantity: change.quantities[0] }],
    discounts: initial ? [{ coupon: initial.id }] : [],
  });
  if (change.balance !== 0) {
    await stripe.customers.createBalanceTransaction(customer.id, {
      amount: change.balance,
      currency: change.currency,
    });
  }
  const length = item.current_period_end - item.current_period_start;
  const moment = start + Math.floor(length * change.after);
  if (moment > start) await advance(rig, clock, moment);
  if (later) await stripe.subscriptions.update(id, { discounts: [{ coupon: later.id }] });
  const items = [
    { id: item.id, price: second.id, quantity: change.quantities[1] },
    ...(change.addsItem ? [{ price: extra.id }] : []),
  ];
  const terms = { items, proration_behavior: change.proration };
  const preview = await stripe.invoices.createPreview({ subscription: id, subscription_details: terms });
  const before = (await stripe.invoices.list({ subscription: id })).data.length;
  await stripe.subscriptions.update(id, terms);
  let invoices = await stripe.invoices.list({ subscription: id });
  if (invoices.data.length === before) {
    await advance(rig, clock, preview.period_end);
    await advance(rig, clock, preview.period_end + 3600);
    invoices = await stripe.invoices.list({ subscription: id });
  }
  const [made] = invoices.data;
  assert.deepEqual(seen(preview), seen(made));
  assert.equal(made.status, "paid");
  await stripe.testHelpers.testClocks.del(clock);
}

Deno.test("create_preview of any change equals the invoice that follows: prices, discounts, taxes, currency, balance", async () => {
  await using rig = await startSimulator();
  const product = await rig.stripe.products.create({ name: "Pro" });
  await fc.assert(
    fc.asyncProperty(changes, (change) => previewAndChange(rig, product.id, change)),
    { numRuns: 80 },
  );
});

Deno.test("create_preview of a new subscription equals its first invoice", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const product = await stripe.products.create({ name: "Pro" });
  const price = await createPrice(rig, product.id, { amount: 1500, interval: "month", count: 1 });
  const customer = await stripe.customers.create({
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  const items = [{ price: price.id, quantity: 3 }];
  const preview = await stripe.invoices.createPreview({
    customer: customer.id,
    subscription_details: { items },
  });
  const { latest_invoice } = await stripe.subscriptions.create({ customer: customer.id, items });
  const invoice = await stripe.invoices.retrieve(String(latest_invoice));
  assert.deepEqual([preview.total, preview.amount_due], [invoice.total, 4500]);
});

/** A change that a schedule makes at the end of the period. */
const scheduledChanges = fc.record({
  first: priced,
  second: priced,
  quantities: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  coupon: fc.option(coupon),
  drops: fc.boolean(),
  usage: fc.integer({ min: 0, max: 50 }),
});

Deno.test("the preview of a scheduled change equals the renewal that carries it out, and nothing is billed twice", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const product = await stripe.products.create({ name: "Pro" });
  const meter = await stripe.billing.meters.create({
    display_name: "Messages",
    event_name: "message",
    default_aggregation: { formula: "sum" },
  });
  await fc.assert(
    fc.asyncProperty(scheduledChanges, async (change) => {
      const start = Math.floor(Date.now() / 1000);
      const { id: clock } = await stripe.testHelpers.testClocks.create({ frozen_time: start });
      const customer = await stripe.customers.create({
        test_clock: clock,
        payment_method: "pm_card_visa",
        invoice_settings: { default_payment_method: "pm_card_visa" },
        address: { country: "DE" },
      });
      const first = await createPrice(rig, product.id, change.first);
      const second = await createPrice(rig, product.id, change.second);
      const metered = await stripe.prices.create({
        currency: "usd",
        product: product.id,
        recurring: {
          interval: change.first.interval,
          interval_count: change.first.count,
          usage_type: "metered",
          meter: meter.id,
        },
        unit_amount: 11,
      });
      const { id, items } = await stripe.subscriptions.create({
        customer: customer.id,
        automatic_tax: { enabled: true },
        items: [{ price: first.id, quantity: change.quantities[0] }, { price: metered.id }],
      });
      const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id });
      const off = change.coupon && await createCoupon(rig, change.coupon);
      await stripe.subscriptionSchedules.update(schedule.id, {
        phases: [
          {
            start_date: schedule.phases[0].start_date,
            end_date: schedule.phases[0].end_date,
            items: [{ price: first.id, quantity: change.quantities[0] }, { price: metered.id }],
          },
          {
            items: [
              { price: second.id, quantity: change.quantities[1] },
              ...(change.drops ? [] : [{ price: metered.id }]),
            ],
            discounts: off ? [{ coupon: off.id }] : undefined,
          },
        ],
      });
      if (change.usage > 0) {
        await stripe.billing.meterEvents.create({
          event_name: "message",
          payload: { stripe_customer_id: customer.id, value: String(change.usage) },
        });
        assert.ok(await rig.simulator.idle());
      }
      const end = items.data[0].current_period_end;
      await advance(rig, clock, start + 60);
      const preview = await stripe.invoices.createPreview({ schedule: schedule.id });
      await advance(rig, clock, end);
      await advance(rig, clock, end + 3600);
      const { data: [made, ...others] } = await stripe.invoices.list({ subscription: id });
      assert.deepEqual(seen(preview), seen(made));
      assert.deepEqual([made.status, others.length], ["paid", 1]);
      const lines = made.lines.data.map((line) => line.pricing?.price_details?.price);
      assert.equal(lines.filter((price) => price === second.id).length, 1);
      assert.equal(lines.filter((price) => price === first.id).length, 0);
      const renewed = await stripe.subscriptions.retrieve(id);
      assert.ok(renewed.items.data.every((item) => item.current_period_start === end));
      await stripe.testHelpers.testClocks.del(clock);
    }),
    { numRuns: 40 },
  );
});
