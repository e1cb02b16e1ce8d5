import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  type ClockSimulator,
  createPayer,
  createPro,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
} from "../testing.ts";

const address = (country: string) => ({
  country,
  line1: "Main Street 1",
  postal_code: "10115",
  city: "Town",
});

/** A taxed monthly subscription of 15 dollars for a customer in a country. */
async function taxed(rig: ClockSimulator, country: string, fields: Stripe.CustomerCreateParams = {}) {
  const price = await createPro(rig.stripe);
  const customer = await createPayer(rig, "pm_card_visa", { address: address(country), ...fields });
  const subscription = await rig.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    automatic_tax: { enabled: true },
  });
  const invoice = await rig.stripe.invoices.retrieve(String(subscription.latest_invoice));
  return { customer, price, subscription, invoice };
}

const taxOf = ({ total_taxes: taxes, total, total_excluding_tax: net }: Stripe.Invoice) => [
  taxes?.map(({ amount, taxability_reason: reason, tax_behavior: behavior }) => [amount, reason, behavior]),
  net,
  total,
];

Deno.test("automatic tax adds the rate of the customer's country to a price in dollars", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { invoice, subscription } = await taxed(rig, "DE");
  assert.equal(subscription.automatic_tax.enabled, true);
  assert.deepEqual(taxOf(invoice), [[[285, "standard_rated", "exclusive"]], 1500, 1785]);
  assert.deepEqual([invoice.automatic_tax.status, invoice.amount_paid, invoice.subtotal], [
    "complete",
    1785,
    1500,
  ]);
  const [tax] = invoice.lines.data[0].taxes ?? [];
  assert.deepEqual([tax.amount, tax.taxable_amount], [285, 1500]);
  const rate = await rig.stripe.taxRates.retrieve(String(tax.tax_rate_details?.tax_rate));
  assert.deepEqual([rate.country, rate.percentage, rate.display_name, rate.inclusive], [
    "DE",
    19,
    "VAT",
    false,
  ]);
  const preview = await rig.stripe.invoices.createPreview({ subscription: subscription.id });
  assert.equal(preview.total, 1785);
});

Deno.test("an inclusive price contains its tax", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const price = await createPro(stripe, { currency: "eur", unit_amount: 1190, tax_behavior: "inclusive" });
  const customer = await createPayer(rig, "pm_card_visa", { address: address("DE") });
  const { latest_invoice } = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    automatic_tax: { enabled: true },
  });
  const invoice = await stripe.invoices.retrieve(String(latest_invoice));
  assert.deepEqual(taxOf(invoice), [[[190, "standard_rated", "inclusive"]], 1000, 1190]);
  await assert.rejects(stripe.prices.update(price.id, { tax_behavior: "exclusive" }), {
    param: "tax_behavior",
  });
});

Deno.test("a business with a VAT id is charged no tax and accounts for it itself", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { invoice } = await taxed(rig, "DE", { tax_id_data: [{ type: "eu_vat", value: "DE123456789" }] });
  assert.deepEqual(taxOf(invoice), [[[0, "reverse_charge", "exclusive"]], 1500, 1500]);
  assert.deepEqual(invoice.customer_tax_ids, [{ type: "eu_vat", value: "DE123456789" }]);
});

for (
  const [name, country, fields, reason] of [
    ["an exempt customer", "DE", { tax_exempt: "exempt" }, "customer_exempt"],
    ["a customer with tax_exempt reverse", "FR", { tax_exempt: "reverse" }, "reverse_charge"],
    ["a country without a registration", "US", {}, "not_collecting"],
  ] as const
) {
  Deno.test(`${name} pays no tax: ${reason}`, async () => {
    await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
    const { invoice } = await taxed(rig, country, fields);
    assert.deepEqual(taxOf(invoice), [[[0, reason, "exclusive"]], 1500, 1500]);
  });
}

Deno.test("tax is calculated after discounts, and the new address counts until an invoice is finalized", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { subscription, customer } = await taxed(rig, "DE");
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  await stripe.subscriptions.update(subscription.id, { discounts: [{ coupon }] });
  await rig.advanceTo("2026-05-01T00:00:00Z");
  const [draft] = (await stripe.invoices.list({ subscription: subscription.id, limit: 1 })).data;
  assert.deepEqual([draft.status, draft.total], ["draft", 893]);
  await stripe.customers.update(customer.id, { address: address("AT") });
  await rig.advanceTo("2026-05-01T02:00:00Z");
  assert.equal((await stripe.invoices.retrieve(draft.id)).total, 900);
});

Deno.test("automatic tax without a known country is refused with customer_tax_location_invalid", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await createPayer(rig);
  const fields = { customer: customer.id, automatic_tax: { enabled: true } };
  await assert.rejects(stripe.subscriptions.create({ ...fields, items: [{ price: price.id }] }), {
    code: "customer_tax_location_invalid",
  });
  await assert.rejects(openCheckout(stripe, price.id, fields), { code: "customer_tax_location_invalid" });
  const session = await openCheckout(stripe, price.id, { ...fields, customer_update: { address: "auto" } });
  assert.equal(session.automatic_tax.status, "requires_location_inputs");
});

Deno.test("tax ids of customers are checked, verified, listed and deleted", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { id } = await stripe.customers.create({});
  const taxId = await stripe.customers.createTaxId(id, { type: "eu_vat", value: "DE000000000" });
  assert.deepEqual([taxId.country, taxId.verification?.status], ["DE", "verified"]);
  await stripe.taxIds.create({
    type: "gb_vat",
    value: "GB111111111",
    owner: { type: "customer", customer: id },
  });
  const { data } = await stripe.customers.listTaxIds(id);
  assert.deepEqual(data.map(({ type, verification }) => [type, verification?.status]), [
    ["gb_vat", "unverified"],
    ["eu_vat", "verified"],
  ]);
  const expanded = await stripe.customers.retrieve(id, { expand: ["tax_ids"] }) as Stripe.Customer;
  assert.equal(expanded.tax_ids?.data.length, 2);
  for (const value of ["DE123", "XX123456789", "FR12345678"]) {
    await assert.rejects(stripe.customers.createTaxId(id, { type: "eu_vat", value }), {
      code: "tax_id_invalid",
    });
  }
  assert.equal((await stripe.customers.deleteTaxId(id, taxId.id)).deleted, true);
  await assert.rejects(stripe.customers.retrieveTaxId(id, taxId.id), { statusCode: 404 });
});

Deno.test("a checkout collects address and tax id, adds the tax and saves both for the customer", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe);
  const session = await openCheckout(stripe, price.id, {
    automatic_tax: { enabled: true },
    billing_address_collection: "required",
    tax_id_collection: { enabled: true },
  });
  assert.deepEqual([session.amount_total, session.automatic_tax.status], [1500, "requires_location_inputs"]);
  await pay(simulator, session.id, { address: { country: "FR", postal_code: "75001" } });
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["invoice", "customer"] });
  assert.deepEqual([done.amount_total, done.total_details?.amount_tax, done.automatic_tax.status], [
    1800,
    300,
    "complete",
  ]);
  assert.equal(done.customer_details?.address?.country, "FR");
  assert.equal((done.customer as Stripe.Customer).address?.postal_code, "75001");
  assert.deepEqual([(done.invoice as Stripe.Invoice).amount_paid, (done.invoice as Stripe.Invoice).total], [
    1800,
    1800,
  ]);
  const [line] = (await stripe.checkout.sessions.listLineItems(session.id)).data;
  assert.deepEqual([line.amount_tax, line.amount_total], [300, 1800]);
});

Deno.test("a tax id entered at checkout reverses the charge and is kept for an existing customer", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({ name: "Ada" });
  const fields = {
    customer: customer.id,
    automatic_tax: { enabled: true },
    tax_id_collection: { enabled: true },
  };
  await assert.rejects(openCheckout(stripe, price.id, { ...fields, customer_update: { address: "auto" } }), {
    param: "tax_id_collection",
  });
  const session = await openCheckout(stripe, price.id, {
    ...fields,
    customer_update: { address: "auto", name: "auto" },
  });
  const entered = { address: { country: "DE" }, business_name: "Club e. V." };
  await assert.rejects(
    pay(simulator, session.id, { ...entered, tax_id: { type: "eu_vat", value: "DE1" } }),
    /Invalid value for eu_vat/,
  );
  await pay(simulator, session.id, { ...entered, tax_id: { type: "eu_vat", value: "DE123456789" } });
  const done = await stripe.checkout.sessions.retrieve(session.id);
  assert.deepEqual([
    done.amount_total,
    done.customer_details?.tax_ids,
    done.collected_information?.business_name,
  ], [
    1500,
    [{ type: "eu_vat", value: "DE123456789" }],
    "Club e. V.",
  ]);
  const saved = await stripe.customers.retrieve(customer.id) as Stripe.Customer;
  assert.deepEqual([saved.address?.country, saved.name], ["DE", "Club e. V."]);
  const [invoice] = (await stripe.invoices.list()).data;
  assert.deepEqual(taxOf(invoice), [[[0, "reverse_charge", "exclusive"]], 1500, 1500]);
});

Deno.test("a preview assumes the details of customer_details", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { subscription } = await taxed(rig, "DE");
  const preview = (details: Stripe.InvoiceCreatePreviewParams.CustomerDetails) =>
    stripe.invoices.createPreview({ subscription: subscription.id, customer_details: details });
  assert.equal((await preview({ address: address("AT") })).total, 1800);
  assert.equal((await preview({ tax_ids: [{ type: "eu_vat", value: "DE123456789" }] })).total, 1500);
});
