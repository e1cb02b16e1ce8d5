import assert from "node:assert/strict";
import { createPro, openCheckout, pay, startSimulator } from "../testing.ts";

Deno.test("customers can be created, updated and listed by email", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const customer = await stripe.customers.create({
    email: "ada@example.com",
    metadata: { community_id: "42" },
  });
  assert.match(customer.id, /^cus_/);
  await stripe.customers.create({ email: "bob@example.com" });
  const renamed = await stripe.customers.update(customer.id, { name: "Ada", address: { country: "CH" } });
  assert.equal(renamed.name, "Ada");
  assert.deepEqual(renamed.address, {
    city: null,
    country: "CH",
    line1: null,
    line2: null,
    postal_code: null,
    state: null,
  });
  const found = await stripe.customers.list({ email: "ada@example.com" });
  assert.deepEqual(found.data.map(({ id }) => id), [customer.id]);
  assert.equal((await stripe.customers.update(customer.id, { email: "" })).email, null);
});

Deno.test("two customers can have the same email", async () => {
  await using rig = await startSimulator();
  const same = () => rig.stripe.customers.create({ email: "ada@example.com" });
  assert.notEqual((await same()).id, (await same()).id);
});

Deno.test("a deleted customer is returned as deleted and its subscription is canceled", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({});
  const session = await openCheckout(stripe, pro.id, { customer: customer.id });
  await pay(simulator, session.id);

  assert.equal((await stripe.customers.del(customer.id)).deleted, true);
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true);
  const [subscription] = (await stripe.subscriptions.list({ status: "all" })).data;
  assert.equal(subscription.status, "canceled");
  for (
    const list of [stripe.subscriptions, stripe.invoices, stripe.checkout.sessions, stripe.paymentMethods]
  ) {
    await assert.rejects(list.list({ customer: customer.id }).then(() => {}), {
      statusCode: 400,
      code: "resource_missing",
      param: "customer",
      message: `No such customer: '${customer.id}'`,
    });
  }
  await assert.rejects(stripe.billingPortal.sessions.create({ customer: customer.id }), {
    statusCode: 400,
    code: "resource_missing",
  });
  await assert.rejects(stripe.customers.update(customer.id, { name: "x" }), { statusCode: 404 });
  const types =
    (await stripe.events.list({ types: ["customer.deleted", "customer.subscription.deleted"] })).data;
  assert.deepEqual(types.map(({ type }) => type), ["customer.deleted", "customer.subscription.deleted"]);
});

Deno.test("test cards can be attached, listed, set as default and detached", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const customer = await stripe.customers.create({});
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  assert.equal(card.card?.last4, "4242");
  const made = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_mastercard" } });
  await stripe.paymentMethods.attach(made.id, { customer: customer.id });
  const listed = await stripe.customers.listPaymentMethods(customer.id);
  assert.deepEqual(
    listed.data.map(({ id }) => id),
    [made.id, card.id].toSorted((a) => a === made.id ? -1 : 1),
  );

  const settings = { default_payment_method: card.id };
  const updated = await stripe.customers.update(customer.id, { invoice_settings: settings });
  assert.equal(updated.invoice_settings.default_payment_method, card.id);
  assert.equal((await stripe.paymentMethods.detach(card.id)).customer, null);
  assert.equal((await stripe.paymentMethods.list({ customer: customer.id })).data.length, 1);
});

Deno.test("attaching a declined card is refused with 402", async () => {
  await using rig = await startSimulator();
  const customer = await rig.stripe.customers.create({});
  await assert.rejects(
    rig.stripe.paymentMethods.attach("pm_card_chargeDeclined", { customer: customer.id }),
    {
      type: "StripeCardError",
      code: "card_declined",
      decline_code: "generic_decline",
    },
  );
});
