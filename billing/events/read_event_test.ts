import assert from "node:assert/strict";
import { readStripeEvent, readSubscription } from "./read_event.ts";

const item = (id: string, usageType: string, end: number) => ({
  id,
  object: "subscription_item",
  current_period_start: 1_000,
  current_period_end: end,
  price: { id: `price_${id}`, recurring: { usage_type: usageType, interval: "month" } },
});

const subscription = (more: Record<string, unknown> = {}) => ({
  id: "sub_1",
  object: "subscription",
  customer: "cus_1",
  status: "active",
  start_date: 1_000,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  ended_at: null,
  trial_end: null,
  items: { object: "list", data: [item("flat", "licensed", 3_000)] },
  ...more,
});

const event = (type: string, object: unknown) => ({
  id: "evt_1",
  object: "event",
  type,
  created: 1_000,
  livemode: false,
  api_version: "2026-10-28.endive",
  data: { object },
});

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

Deno.test("readSubscription() takes the licensed item's price, the earliest period end and the metered item", () => {
  const items = { data: [item("metered", "metered", 2_000), item("flat", "licensed", 3_000)] };
  const { customerId, state } = readSubscription(subscription({ items, trial_end: 1_500 }));
  assert.equal(customerId, "cus_1");
  assert.deepEqual(state, {
    id: "sub_1",
    stripe_price_id: "price_flat",
    status: "active",
    current_period_start: iso(1_000),
    current_period_end: iso(2_000),
    trial_end: iso(1_500),
    cancel_at: null,
    canceled_at: null,
    ended_at: null,
    payment_issue: null,
    metered_item_id: "metered",
    started_at: iso(1_000),
  });
});

Deno.test("readSubscription() sets cancel_at from either of Stripe's two fields", () => {
  assert.equal(readSubscription(subscription({ cancel_at: 2_500 })).state.cancel_at, iso(2_500));
  assert.equal(readSubscription(subscription({ cancel_at_period_end: true })).state.cancel_at, iso(3_000));
});

Deno.test("readSubscription() sets payment_issue for statuses that wait for a payment", () => {
  const issue = (status: string) => readSubscription(subscription({ status })).state.payment_issue;
  assert.deepEqual(["active", "past_due", "unpaid", "incomplete", "a_new_one"].map(issue), [
    null,
    "payment_failed",
    "payment_failed",
    "first_payment_incomplete",
    null,
  ]);
});

Deno.test("readStripeEvent() reads the state of every customer.subscription event", () => {
  for (const what of ["created", "updated", "deleted", "paused", "resumed"]) {
    const { event: record, change } = readStripeEvent(event(`customer.subscription.${what}`, subscription()));
    assert.equal(change?.kind, "subscription");
    assert.deepEqual([record.customer_id, record.object_id], ["cus_1", "sub_1"]);
  }
});

Deno.test("readStripeEvent() ignores a checkout whose reference and metadata do not name one community", () => {
  const checkout = (more: Record<string, unknown>) =>
    readStripeEvent(event("checkout.session.completed", {
      id: "cs_1",
      object: "checkout.session",
      customer: "cus_1",
      client_reference_id: "garden",
      metadata: { dues_community_id: "garden" },
      ...more,
    })).change;
  assert.deepEqual(checkout({}), { kind: "checkout", community_id: "garden" });
  for (
    const foreign of [{ metadata: {} }, { client_reference_id: null }, { client_reference_id: "chess" }, {
      customer: null,
    }]
  ) {
    assert.equal(checkout(foreign), null);
  }
});

Deno.test("readStripeEvent() reads an invoice with the subscription it bills", () => {
  const invoice = {
    id: "in_1",
    object: "invoice",
    customer: "cus_1",
    number: "A-0001",
    status: "paid",
    amount_due: 2900,
    amount_paid: 2900,
    currency: "usd",
    hosted_invoice_url: "https://invoice.stripe.com/i/1",
    invoice_pdf: "https://pay.stripe.com/invoice/1/pdf",
    created: 1_000,
    status_transitions: { paid_at: 1_001, finalized_at: 1_000 },
    parent: { type: "subscription_details", subscription_details: { subscription: "sub_1", metadata: {} } },
  };
  const { event: record, change } = readStripeEvent(event("invoice.paid", invoice));
  assert.deepEqual([record.customer_id, record.object_id], ["cus_1", "in_1"]);
  assert.deepEqual(change, {
    kind: "invoice",
    state: {
      id: "in_1",
      subscription_id: "sub_1",
      number: "A-0001",
      status: "paid",
      amount_due_cents: 2900,
      amount_paid_cents: 2900,
      currency: "usd",
      hosted_invoice_url: "https://invoice.stripe.com/i/1",
      invoice_pdf: "https://pay.stripe.com/invoice/1/pdf",
      issued_at: iso(1_000),
      paid_at: iso(1_001),
    },
  });
  const draft = {
    ...invoice,
    number: null,
    status: "draft",
    parent: null,
    status_transitions: { paid_at: null },
  };
  const { change: early } = readStripeEvent(event("invoice.created", draft));
  assert.ok(early?.kind === "invoice");
  assert.deepEqual([early.state.number, early.state.subscription_id, early.state.paid_at], [
    null,
    null,
    null,
  ]);
});

Deno.test("readStripeEvent() reads customer.deleted as customer_deleted", () => {
  const { event: record, change } = readStripeEvent(
    event("customer.deleted", { id: "cus_1", object: "customer" }),
  );
  assert.deepEqual([record.customer_id, change], ["cus_1", { kind: "customer_deleted" }]);
});

Deno.test("readStripeEvent() reads other and unknown event types as no change", () => {
  const { event: record, change } = readStripeEvent(
    event("customer.updated", { id: "cus_1", object: "customer" }),
  );
  assert.deepEqual([record.type, record.customer_id, change], ["customer.updated", "cus_1", null]);
  assert.equal(readStripeEvent(event("something.new", { anything: 1 })).change, null);
});

Deno.test("readStripeEvent() reads a subscription of an unknown shape as unreadable", () => {
  const { change } = readStripeEvent(
    event("customer.subscription.updated", subscription({ items: { data: [] } })),
  );
  assert.equal(change?.kind, "unreadable");
});

Deno.test("readStripeEvent() throws for what is not an event", () => {
  for (
    const body of [null, 7, {}, { id: "evt_1" }, event("x", null), { ...event("x", {}), created: "now" }]
  ) {
    assert.throws(() => readStripeEvent(body));
  }
});
