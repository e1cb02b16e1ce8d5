import assert from "node:assert/strict";
import { readInvoice } from "./read_invoice.ts";
import { IncompleteObjectError } from "./stripe_fields.ts";

const line = (price: string, amount: number) => ({ amount, pricing: { price_details: { price } } });

const invoice = (more: Record<string, unknown> = {}) => ({
  id: "in_1",
  object: "invoice",
  customer: "cus_1",
  number: "A-0001",
  status: "paid",
  billing_reason: "subscription_update",
  currency: "usd",
  subtotal: 7000,
  total: 6300,
  total_discount_amounts: [{ amount: 1000 }, { amount: 200 }],
  total_taxes: [{ amount: 500 }],
  amount_due: 6300,
  amount_paid: 6300,
  hosted_invoice_url: "https://invoice.stripe.com/i/1",
  invoice_pdf: "https://pay.stripe.com/invoice/1/pdf",
  created: 1_000,
  status_transitions: { paid_at: 1_001, finalized_at: 1_000 },
  parent: { type: "subscription_details", subscription_details: { subscription: "sub_1", metadata: {} } },
  lines: { data: [line("pro", -2900), line("team", 9900), { amount: 0, pricing: null }], has_more: false },
  ...more,
});

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

Deno.test("readInvoice() reads amounts, the subscription, and the prices that are paid for", () => {
  const { customerId, state } = readInvoice(invoice());
  assert.equal(customerId, "cus_1");
  assert.deepEqual(state, {
    id: "in_1",
    subscription_id: "sub_1",
    number: "A-0001",
    status: "paid",
    billing_reason: "subscription_update",
    currency: "usd",
    subtotal_cents: 7000,
    discount_cents: 1200,
    tax_cents: 500,
    total_cents: 6300,
    amount_due_cents: 6300,
    amount_paid_cents: 6300,
    hosted_invoice_url: "https://invoice.stripe.com/i/1",
    invoice_pdf: "https://pay.stripe.com/invoice/1/pdf",
    issued_at: iso(1_000),
    paid_at: iso(1_001),
    price_ids: ["team"],
  });
});

Deno.test("readInvoice() reads a draft, of no subscription and without addresses", () => {
  const { state } = readInvoice(invoice({
    number: null,
    status: "draft",
    parent: null,
    hosted_invoice_url: undefined,
    invoice_pdf: undefined,
    status_transitions: { paid_at: null },
  }));
  assert.deepEqual([state.number, state.subscription_id, state.paid_at, state.hosted_invoice_url], [
    null,
    null,
    null,
    null,
  ]);
  assert.equal(readInvoice(invoice(), "deleted").state.status, "deleted");
});

Deno.test("readInvoice() gives invoices that differ only in their addresses the same hash", () => {
  assert.equal(readInvoice(invoice()).hash, readInvoice(invoice({ invoice_pdf: "https://elsewhere" })).hash);
  assert.notEqual(readInvoice(invoice()).hash, readInvoice(invoice({ amount_paid: 0 })).hash);
});

Deno.test("readInvoice() throws where the key parent is missing, or lines are left out", () => {
  const { parent: _, ...old } = invoice();
  assert.throws(() => readInvoice(old));
  assert.throws(() => readInvoice(invoice({ lines: { data: [], has_more: true } })), IncompleteObjectError);
});
