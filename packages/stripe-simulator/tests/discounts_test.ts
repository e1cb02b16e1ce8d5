import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  at,
  type ClockSimulator,
  createPro,
  eventsSince,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
} from "../testing.ts";

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

const totalsOf = ({ subtotal, total, amount_paid }: Stripe.Invoice) => [subtotal, total, amount_paid];

Deno.test("coupons and promotion codes are created, listed, renamed and deleted", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const coupon = await stripe.coupons.create({
    id: "HALF",
    percent_off: 50,
    duration: "forever",
    name: "Half",
  });
  assert.deepEqual([coupon.valid, coupon.percent_off, coupon.amount_off, coupon.times_redeemed], [
    true,
    50,
    null,
    0,
  ]);
  const code = await stripe.promotionCodes.create({
    promotion: { type: "coupon", coupon: "HALF" },
    code: "SPRING",
  });
  assert.deepEqual(code.promotion, { coupon: "HALF", type: "coupon" });
  const found = await stripe.promotionCodes.list({ code: "spring", expand: ["data.promotion.coupon"] });
  assert.equal((found.data[0].promotion.coupon as Stripe.Coupon).name, "Half");
  await assert.rejects(
    stripe.promotionCodes.create({ promotion: { type: "coupon", coupon: "HALF" }, code: "Spring" }),
    { code: "resource_already_exists" },
  );
  assert.equal((await stripe.coupons.update("HALF", { name: "50 %" })).name, "50 %");
  assert.deepEqual(await stripe.coupons.del("HALF").then(({ deleted }) => deleted), true);
  await assert.rejects(stripe.coupons.retrieve("HALF"), { statusCode: 404 });
  await assert.rejects(stripe.coupons.create({ percent_off: 50, amount_off: 5 }), { param: "percent_off" });
  await assert.rejects(stripe.coupons.create({ amount_off: 5 }), { param: "currency" });
});

Deno.test("a discount for ever reduces every invoice, one for months ends, one for once is used once", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const [ever, months, once] = [
    await stripe.coupons.create({ percent_off: 20, duration: "forever" }),
    await stripe.coupons.create({ percent_off: 20, duration: "repeating", duration_in_months: 1 }),
    await stripe.coupons.create({ amount_off: 500, currency: "usd", duration: "once" }),
  ];
  const made = [];
  for (const { id } of [ever, months, once]) {
    made.push((await subscribe(rig, { discounts: [{ coupon: id }] })).subscription);
  }
  const first = await Promise.all(made.map((subscription) => newestInvoice(rig, subscription)));
  assert.deepEqual(first.map(totalsOf), [[1500, 1200, 1200], [1500, 1200, 1200], [1500, 1000, 1000]]);
  assert.deepEqual(made.map(({ discounts }) => discounts.length), [1, 1, 0]);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const second = await Promise.all(made.map((subscription) => newestInvoice(rig, subscription)));
  assert.deepEqual(second.map(({ amount_paid }) => amount_paid), [1200, 1500, 1500]);
});

Deno.test("an invoice and its lines name the discount, whose source is the coupon", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: "forever" });
  const { subscription } = await subscribe(rig, { discounts: [{ coupon: coupon.id }] });
  const [id] = subscription.discounts.map(String);
  const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice), {
    expand: ["discounts.source.coupon", "total_discount_amounts.discount"],
  });
  const [discount] = invoice.discounts as Stripe.Discount[];
  assert.deepEqual([discount.id, (discount.source.coupon as Stripe.Coupon).id], [id, coupon.id]);
  assert.deepEqual(
    invoice.total_discount_amounts?.map(({ amount, discount }) => [
      amount,
      (discount as Stripe.Discount).id,
    ]),
    [[150, id]],
  );
  assert.deepEqual(invoice.lines.data[0].discount_amounts, [{ amount: 150, discount: id }]);
  assert.equal((await stripe.coupons.retrieve(coupon.id)).times_redeemed, 1);
});

Deno.test("several discounts are applied one after the other, and a coupon only to its products", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const other = await createPro(stripe, { unit_amount: 1000 });
  const { customer, price } = await subscribe(rig);
  const half = await stripe.coupons.create({
    percent_off: 50,
    duration: "forever",
    applies_to: { products: [String(other.product)] },
  });
  const fixed = await stripe.coupons.create({ amount_off: 300, currency: "usd", duration: "forever" });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }, { price: other.id }],
    discounts: [{ coupon: half.id }, { coupon: fixed.id }],
  });
  const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice));
  assert.deepEqual(invoice.lines.data.map((line) => line.discount_amounts?.map(({ amount }) => amount)), [
    [0, 225],
    [500, 75],
  ]);
  assert.equal(invoice.total, 1700);
});

Deno.test("a discount is added to and removed from a running subscription", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { id: coupon } = await stripe.coupons.create({ percent_off: 100, duration: "forever" });
  const { id } = (await subscribe(rig)).subscription;
  const reduced = await stripe.subscriptions.update(id, { discounts: [{ coupon }] });
  const [discount] = reduced.discounts.map(String);
  assert.equal((await stripe.invoices.createPreview({ subscription: id })).total, 0);
  assert.equal((await stripe.invoices.createPreview({ subscription: id, discounts: "" })).total, 1500);
  const kept = await stripe.subscriptions.update(id, { discounts: [{ discount }] });
  assert.deepEqual(kept.discounts, [discount]);
  assert.deepEqual((await stripe.subscriptions.update(id, { discounts: "" })).discounts, []);
  const types = (await eventsSince(rig, "2026-04-01")).map(({ type }) => type);
  assert.equal(types.filter((type) => type === "customer.discount.created").length, 1);
  assert.equal(types.filter((type) => type === "customer.discount.deleted").length, 1);
});

Deno.test("prorations are charged and credited net of discounts", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { id: once } = await stripe.coupons.create({ percent_off: 100, duration: "once" });
  const { subscription: { id, items } } = await subscribe(rig, { discounts: [{ coupon: once }] });
  const team = await createPro(stripe, { unit_amount: 4500 });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0].id, price: team.id }],
    proration_behavior: "always_invoice",
  });
  assert.equal((await newestInvoice(rig, { id })).total, 2250);
  const { id: half } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  await stripe.subscriptions.update(id, { discounts: [{ coupon: half }] });
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0].id, quantity: 2 }],
    proration_behavior: "always_invoice",
  });
  assert.equal((await newestInvoice(rig, { id })).total, 0);
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0].id, quantity: 1 }],
    proration_behavior: "always_invoice",
  });
  assert.equal((await newestInvoice(rig, { id })).total, -1125);
});

Deno.test("a checkout session with a discount costs less, and so does its first invoice", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe);
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  const session = await openCheckout(stripe, price.id, { discounts: [{ coupon }] });
  assert.deepEqual([session.amount_subtotal, session.amount_total, session.total_details?.amount_discount], [
    1500,
    750,
    750,
  ]);
  assert.deepEqual(session.discounts, [{ coupon, promotion_code: null }]);
  const [line] = (await stripe.checkout.sessions.listLineItems(session.id)).data;
  assert.deepEqual([line.amount_subtotal, line.amount_discount, line.amount_total], [1500, 750, 750]);
  await pay(simulator, session.id);
  const [invoice] = (await stripe.invoices.list()).data;
  assert.deepEqual(totalsOf(invoice), [1500, 750, 750]);
  const [subscription] = (await stripe.subscriptions.list({ expand: ["data.discounts"] })).data;
  const [discount] = subscription.discounts as Stripe.Discount[];
  assert.deepEqual([discount.checkout_session, discount.subscription], [session.id, subscription.id]);
});

Deno.test("a promotion code is typed in the checkout that allows it", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe);
  const { id: coupon } = await stripe.coupons.create({ amount_off: 500, currency: "usd", duration: "once" });
  const code = await stripe.promotionCodes.create({
    promotion: { type: "coupon", coupon },
    code: "WELCOME",
    max_redemptions: 1,
    restrictions: { first_time_transaction: true },
  });
  const session = await openCheckout(stripe, price.id, { allow_promotion_codes: true });
  await assert.rejects(pay(simulator, session.id, { promotion_code: "NOTHING" }), /This code is invalid/);
  await pay(simulator, session.id, { promotion_code: "welcome" });
  const paid = await stripe.checkout.sessions.retrieve(session.id);
  assert.deepEqual([paid.amount_total, paid.discounts], [1000, [{ coupon: null, promotion_code: code.id }]]);
  const used = await stripe.promotionCodes.retrieve(code.id);
  assert.deepEqual([used.active, used.times_redeemed], [false, 1]);
  const second = await openCheckout(stripe, price.id, { allow_promotion_codes: true });
  await assert.rejects(pay(simulator, second.id, { promotion_code: "welcome" }), /This code is invalid/);
  await assert.rejects(
    openCheckout(stripe, price.id, { allow_promotion_codes: true, discounts: [{ coupon }] }),
    {
      param: "allow_promotion_codes",
    },
  );
});

Deno.test("coupons and codes that cannot be redeemed are refused with 400", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { customer, price } = await subscribe(rig);
  const create = (discount: Stripe.SubscriptionCreateParams.Discount) =>
    stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      discounts: [discount],
    });
  const late = await stripe.coupons.create({ percent_off: 10, redeem_by: at("2026-03-31") });
  await assert.rejects(create({ coupon: late.id }), { code: "coupon_expired" });
  const euros = await stripe.coupons.create({ amount_off: 100, currency: "eur" });
  await assert.rejects(create({ coupon: euros.id }), { param: "discounts[0][coupon]" });
  await assert.rejects(create({ coupon: "none" }), { code: "resource_missing" });
  const { id: coupon } = await stripe.coupons.create({ percent_off: 10 });
  const first = await stripe.promotionCodes.create({
    promotion: { type: "coupon", coupon },
    restrictions: { first_time_transaction: true },
  });
  await assert.rejects(create({ promotion_code: first.id }), {
    message: "This promotion code cannot be redeemed because the associated customer has prior transactions.",
  });
});

Deno.test("a schedule's phase brings its discount", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  const { subscription, price } = await subscribe(rig);
  const { id, phases: [phase] } = await stripe.subscriptionSchedules.create({
    from_subscription: subscription.id,
  });
  await stripe.subscriptionSchedules.update(id, {
    phases: [
      { start_date: phase.start_date, end_date: phase.end_date, items: [{ price: price.id }] },
      { items: [{ price: price.id }], discounts: [{ coupon }] },
    ],
  });
  assert.equal((await stripe.invoices.createPreview({ subscription: subscription.id })).total, 750);
  assert.equal((await stripe.coupons.retrieve(coupon)).times_redeemed, 0);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  assert.equal((await newestInvoice(rig, subscription)).amount_paid, 750);
});

Deno.test("the checkout page shows the total with what is entered before it is paid", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const price = await createPro(stripe);
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  await stripe.promotionCodes.create({ promotion: { type: "coupon", coupon }, code: "HALF" });
  const { id, url } = await openCheckout(stripe, price.id, {
    allow_promotion_codes: true,
    automatic_tax: { enabled: true },
  });
  const enter = async (fields: Record<string, string>) => {
    const response = await fetch(String(url), { method: "POST", body: new URLSearchParams(fields) });
    return [response.status, await response.text()] as const;
  };
  const [refused, wrong] = await enter({ country: "DE", promotion_code: "NONE", reprice: "1" });
  assert.deepEqual([refused, /This code is invalid/.test(wrong)], [400, true]);
  const [, page] = await enter({ country: "DE", promotion_code: "HALF", reprice: "1" });
  assert.match(page, /\$7\.50.*\$1\.43.*Total due today.*\$8\.93/s);
  const open = await stripe.checkout.sessions.retrieve(id);
  assert.deepEqual([open.status, open.amount_total, open.total_details?.amount_discount], ["open", 893, 750]);
});
