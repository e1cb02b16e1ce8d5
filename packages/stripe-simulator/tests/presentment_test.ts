import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  createPayer,
  createPro,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
} from "../testing.ts";

const currency_options = { eur: { unit_amount: 1400 }, jpy: { unit_amount: 2000 } };

Deno.test("a price shows its currency_options on demand, its own currency included", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { id } = await createPro(stripe, { currency_options });
  assert.equal((await stripe.prices.retrieve(id)).currency_options, undefined);
  const { currency_options: options } = await stripe.prices.retrieve(id, { expand: ["currency_options"] });
  assert.deepEqual(
    Object.entries(options ?? {}).map(([currency, option]) => [currency, option.unit_amount]),
    [["usd", 1500], ["eur", 1400], ["jpy", 2000]],
  );
  await stripe.prices.update(id, { currency_options: { chf: { unit_amount: 1300 } } });
  const more = await stripe.prices.retrieve(id, { expand: ["currency_options"] });
  assert.equal(more.currency_options?.chf.unit_amount, 1300);
});

Deno.test("a checkout in a currency of the price charges its amount in it", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe, { currency_options });
  const session = await openCheckout(stripe, price.id, { currency: "eur" });
  assert.deepEqual([session.currency, session.amount_total], ["eur", 1400]);
  await pay(simulator, session.id);
  const [subscription] = (await stripe.subscriptions.list({ expand: ["data.latest_invoice"] })).data;
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  assert.deepEqual([subscription.currency, invoice.currency, invoice.amount_paid], ["eur", "eur", 1400]);
  assert.deepEqual(invoice.lines.data.map(({ description, currency }) => [description, currency]), [
    ["1 × Pro (at €14.00 / month)", "eur"],
  ]);
  assert.deepEqual(subscription.items.data[0].price.currency, "usd");
  await assert.rejects(openCheckout(stripe, price.id, { currency: "sek" }), { statusCode: 400 });
});

Deno.test("the page presents another currency unless the session has fixed one", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe, { currency_options });
  const open = await openCheckout(stripe, price.id);
  assert.match(await (await fetch(String(open.url))).text(), /value="jpy"/);
  await pay(simulator, open.id, { currency: "jpy" });
  const { amount_total, currency } = await stripe.checkout.sessions.retrieve(open.id);
  assert.deepEqual([amount_total, currency], [2000, "jpy"]);
  const fixed = await openCheckout(stripe, price.id, { currency: "eur" });
  await assert.rejects(pay(simulator, fixed.id, { currency: "usd" }), /cannot be paid in usd/);
});

Deno.test("a subscription renews and changes in its currency", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const customer = await createPayer(rig);
  const [small, team] = [
    await createPro(stripe, { currency_options }),
    await createPro(stripe, { unit_amount: 4500, currency_options: { eur: { unit_amount: 4000 } } }),
  ];
  const { id, items } = await stripe.subscriptions.create({
    customer: customer.id,
    currency: "eur",
    items: [{ price: small.id }],
  });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  const only = await createPro(stripe);
  await assert.rejects(
    stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, price: only.id }] }),
    {
      statusCode: 400,
    },
  );
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, price: team.id }] });
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const [invoice] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data;
  assert.deepEqual([invoice.currency, invoice.lines.data.map(({ amount }) => amount)], ["eur", [
    -700,
    2000,
    4000,
  ]]);
});

Deno.test("a fixed discount has its amount in the currency of the order", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const price = await createPro(stripe, { currency_options });
  const { id: coupon } = await stripe.coupons.create({
    amount_off: 500,
    currency: "usd",
    currency_options: { eur: { amount_off: 450 } },
  });
  const session = await openCheckout(stripe, price.id, { currency: "eur", discounts: [{ coupon }] });
  assert.equal(session.amount_total, 950);
  await assert.rejects(openCheckout(stripe, price.id, { currency: "jpy", discounts: [{ coupon }] }), {
    statusCode: 400,
  });
});
