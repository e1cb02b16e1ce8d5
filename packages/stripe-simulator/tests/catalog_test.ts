import assert from "node:assert/strict";
import { createPro, startSimulator } from "../testing.ts";

Deno.test("products can be created, updated, listed and deleted", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const product = await stripe.products.create({ name: "Pro", metadata: { plan: "pro" } });
  assert.match(product.id, /^prod_/);
  assert.equal(product.livemode, false);
  const changed = await stripe.products.update(product.id, { description: "Everything", active: false });
  assert.equal(changed.description, "Everything");
  assert.deepEqual(changed.metadata, { plan: "pro" });
  assert.deepEqual((await stripe.products.list({ active: true })).data, []);
  assert.deepEqual(await stripe.products.del(product.id).then(({ id, deleted }) => ({ id, deleted })), {
    id: product.id,
    deleted: true,
  });
  await assert.rejects(stripe.products.retrieve(product.id), { statusCode: 404 });
});

Deno.test("deleting a product with a price is refused with 400", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  await assert.rejects(rig.stripe.products.del(price.product as string), { statusCode: 400 });
});

Deno.test("a yearly price has the fields that the SDK reads, with unit_amount_decimal as a decimal", async () => {
  await using rig = await startSimulator();
  const yearly = await createPro(rig.stripe, { recurring: { interval: "year" }, unit_amount: 15_000 });
  assert.equal(yearly.type, "recurring");
  assert.deepEqual(yearly.recurring, {
    interval: "year",
    interval_count: 1,
    meter: null,
    trial_period_days: null,
    usage_type: "licensed",
  });
  assert.equal(yearly.unit_amount_decimal?.toString(), "15000");
});

Deno.test("product_data creates the product of a price", async () => {
  await using rig = await startSimulator();
  const price = await rig.stripe.prices.create({
    currency: "EUR",
    product_data: { name: "Pro", metadata: { plan_code: "pro" } },
    unit_amount: 900,
    expand: ["product"],
  });
  assert.ok(typeof price.product === "object" && !price.product.deleted);
  assert.equal(price.product.metadata.plan_code, "pro");
  assert.equal(price.currency, "eur");
});

Deno.test("a lookup key finds its price and moves to another one only with transfer_lookup_key", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const old = await createPro(stripe, { lookup_key: "pro_monthly" });
  const taken = createPro(stripe, { lookup_key: "pro_monthly", unit_amount: 2000 });
  await assert.rejects(taken, { statusCode: 400, param: "lookup_key" });

  const next = await createPro(stripe, {
    lookup_key: "pro_monthly",
    transfer_lookup_key: true,
    unit_amount: 2000,
  });
  const found = await stripe.prices.list({ lookup_keys: ["pro_monthly"], active: true });
  assert.deepEqual(found.data.map(({ id }) => id), [next.id]);
  assert.equal((await stripe.prices.retrieve(old.id)).lookup_key, null);
});

Deno.test("an inactive price is left out of the list of active prices", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  await rig.stripe.prices.update(price.id, { active: false });
  assert.deepEqual((await rig.stripe.prices.list({ active: true })).data, []);
  assert.equal((await rig.stripe.prices.list({ active: false })).data.length, 1);
});
