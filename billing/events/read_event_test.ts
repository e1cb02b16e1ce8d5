import assert from "node:assert/strict";
import { type IncomingEvent, kindOfType, readStripeEvent } from "./read_event.ts";

const item = (id: string) => ({
  id,
  object: "subscription_item",
  current_period_start: 1_000,
  current_period_end: 3_000,
  quantity: 1,
  price: {
    id: `price_${id}`,
    product: "prod_1",
    currency: "usd",
    unit_amount: 2900,
    unit_amount_decimal: "2900",
    recurring: { interval: "month", interval_count: 1, usage_type: "licensed" },
  },
});

const subscription: Record<string, unknown> = {
  id: "sub_1",
  object: "subscription",
  customer: "cus_1",
  status: "active",
  currency: "usd",
  start_date: 1_000,
  trial_start: null,
  trial_end: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  ended_at: null,
  cancellation_details: { reason: null, feedback: null, comment: null },
  collection_method: "charge_automatically",
  pause_collection: null,
  pending_update: null,
  latest_invoice: "in_1",
  discounts: [],
  schedule: null,
  items: { object: "list", data: [item("flat")], has_more: false },
};

const invoice: Record<string, unknown> = {
  id: "in_1",
  object: "invoice",
  customer: "cus_1",
  number: null,
  status: "draft",
  billing_reason: "manual",
  currency: "usd",
  subtotal: 2900,
  total: 2900,
  total_discount_amounts: [],
  total_taxes: [],
  amount_due: 2900,
  amount_paid: 0,
  created: 1_000,
  status_transitions: { paid_at: null },
  parent: null,
  lines: { object: "list", data: [], has_more: false },
};

const event = (type: string, object: unknown, more: Record<string, unknown> = {}) => ({
  id: "evt_1",
  object: "event",
  type,
  created: 1_000,
  livemode: false,
  api_version: "2026-10-28.endive",
  data: { object },
  ...more,
});

const read = (body: unknown, options?: { isListed?: boolean }): IncomingEvent =>
  readStripeEvent(JSON.stringify(body), { isLive: false }, options);

const without = (object: Record<string, unknown>, key: string) => {
  const { [key]: _, ...rest } = object;
  return rest;
};

Deno.test("readStripeEvent() reads the state of every customer.subscription event", () => {
  for (const what of ["created", "updated", "deleted", "paused", "resumed"]) {
    const { kind, customer_id, object_id, object_status, state, reason } = read(
      event(`customer.subscription.${what}`, subscription),
    );
    assert.deepEqual(
      { kind, customer_id, object_id, object_status, isRead: state !== null, reason },
      {
        kind: "subscription",
        customer_id: "cus_1",
        object_id: "sub_1",
        object_status: "active",
        isRead: true,
        reason: null,
      },
    );
  }
});

Deno.test("readStripeEvent() reads objects of the releases in which their fields have one shape, and no others", () => {
  const isRead = (api_version: unknown) =>
    read(event("customer.subscription.updated", subscription, { api_version })).state !== null;
  for (
    const version of ["2025-09-30.clover", "2026-01-28.clover", "2026-05-27.dahlia", "2026-10-28.endive"]
  ) {
    assert.ok(isRead(version), version);
  }
  for (const version of ["2025-08-27.basil", "2024-06-20", "2027-03-31.fuchsia", "", null, undefined]) {
    assert.ok(!isRead(version), String(version));
  }
});

Deno.test("readStripeEvent() reads no object of a listed event, only whose it is", () => {
  const listed = read(event("customer.subscription.updated", subscription), { isListed: true });
  assert.deepEqual([listed.kind, listed.state, listed.customer_id, listed.object_id, listed.object_status], [
    "subscription",
    null,
    "cus_1",
    "sub_1",
    "active",
  ]);
});

Deno.test("readStripeEvent() never reads half of an object: each key that is in use has to be there", () => {
  // These say nothing that is stored.
  const unused = new Set(["object", "id", "customer"]);
  for (
    const [type, object] of [["customer.subscription.updated", subscription], [
      "invoice.paid",
      invoice,
    ]] as const
  ) {
    for (const key of Object.keys(object).filter((key) => !unused.has(key))) {
      const { kind, state, reason } = read(event(type, without(object, key)));
      assert.deepEqual([kind, state], [type === "invoice.paid" ? "invoice" : "subscription", null], key);
      assert.match(reason ?? "", /of another shape/, key);
    }
  }
});

Deno.test("readStripeEvent() reads no subscription with more items than it lists, nor with ids of discounts or a schedule", () => {
  for (
    const more of [
      { items: { data: [item("one")], has_more: true } },
      { discounts: ["di_1"] },
      { schedule: "sub_sched_1" },
    ]
  ) {
    const { kind, state } = read(event("customer.subscription.updated", { ...subscription, ...more }));
    assert.deepEqual([kind, state], ["subscription", null]);
  }
});

Deno.test("readStripeEvent() refuses events of the other mode and of connected accounts", () => {
  const live = read(event("customer.subscription.updated", subscription, { livemode: true }));
  assert.deepEqual([live.kind, live.reason], ["refused", "it is of live mode, and the key of test mode"]);
  const connected = read(event("customer.subscription.updated", subscription, { account: "acct_1" }));
  assert.deepEqual([connected.kind, connected.account_id, connected.state], ["refused", "acct_1", null]);
  const own = readStripeEvent(
    JSON.stringify(event("customer.subscription.updated", subscription, { livemode: true })),
    { isLive: true },
  );
  assert.equal(own.kind, "subscription");
});

Deno.test("readStripeEvent() takes a checkout as ours whose reference and Dues' own metadata name one community", () => {
  const checkout = (more: Record<string, unknown>) => {
    const { kind, community_id } = read(event("checkout.session.completed", {
      id: "cs_1",
      object: "checkout.session",
      customer: "cus_1",
      client_reference_id: "garden",
      metadata: { dues_community_id: "garden" },
      ...more,
    }));
    return [kind, community_id];
  };
  assert.deepEqual(checkout({}), ["checkout", "garden"]);
  assert.deepEqual(checkout({ client_reference_id: "chess" }), ["record", null]);
  assert.deepEqual(checkout({ client_reference_id: null }), ["record", null]);
  assert.deepEqual(checkout({ metadata: { community_id: "garden" } }), ["record", null], "another app's key");
  assert.deepEqual(checkout({ customer: null }), ["record", null]);
  assert.deepEqual(checkout({ metadata: undefined }), ["ask", null]);
});

Deno.test("readStripeEvent() reads a deleted draft as an invoice of status deleted", () => {
  const { kind, object_status, state } = read(event("invoice.deleted", invoice));
  assert.deepEqual([kind, object_status, (state as { status: string }).status], [
    "invoice",
    "deleted",
    "deleted",
  ]);
});

Deno.test("readStripeEvent() reads a change of a schedule as a subscription that has to be asked for", () => {
  const schedule = {
    id: "sub_sched_1",
    object: "subscription_schedule",
    customer: "cus_1",
    status: "active",
  };
  const changed = read(event("subscription_schedule.updated", { ...schedule, subscription: "sub_1" }));
  assert.deepEqual([changed.kind, changed.object_id, changed.state, changed.object_status], [
    "subscription",
    "sub_1",
    null,
    null,
  ]);
  const released = { ...schedule, subscription: null, released_subscription: "sub_1" };
  assert.equal(read(event("subscription_schedule.released", released)).object_id, "sub_1");
  assert.equal(read(event("subscription_schedule.updated", schedule)).kind, "record");
});

Deno.test("readStripeEvent() reads prices and products as active, archived or deleted", () => {
  const status = (type: string, active: boolean) =>
    read(event(type, { id: "price_1", active })).object_status;
  assert.deepEqual(
    [status("price.updated", true), status("product.updated", false), status("price.deleted", true)],
    ["active", "archived", "deleted"],
  );
});

Deno.test("readStripeEvent() reads customer.deleted as customer_deleted", () => {
  const { kind, customer_id } = read(event("customer.deleted", { id: "cus_1", object: "customer" }));
  assert.deepEqual([kind, customer_id], ["customer_deleted", "cus_1"]);
});

Deno.test("readStripeEvent() reads other event types as nothing, also those named like members of every object", () => {
  for (
    const type of [
      "customer.updated",
      "something.new",
      "constructor",
      "toString",
      "__proto__",
      "hasOwnProperty",
    ]
  ) {
    assert.equal(read(event(type, { id: "cus_1", object: "customer" })).kind, "record", type);
  }
});

Deno.test("readStripeEvent() reads an object without a customer as nothing of ours", () => {
  assert.equal(
    read(event("invoice.paid", { ...invoice, customer: null, customer_account: "acct_1" })).kind,
    "record",
  );
});

Deno.test("readStripeEvent() reads an object without an id as unreadable", () => {
  assert.equal(read(event("invoice.paid", without(invoice, "id"))).kind, "unreadable");
});

Deno.test("readStripeEvent() replaces text that Postgres cannot store, and says so", () => {
  const named = {
    ...subscription,
    cancellation_details: { reason: null, feedback: null, comment: "a\u0000b\ud800c😀" },
  };
  const { payload, state, reason } = read(event("customer.subscription.updated", named));
  const { cancellation_comment } = state as { cancellation_comment: string };
  assert.equal(cancellation_comment, "a\ufffdb\ufffdc😀");
  assert.ok(payload!.includes("\\ufffd") && !payload!.includes("\\u0000"));
  assert.equal(reason, "text that cannot be stored was replaced");
});

Deno.test("readStripeEvent() throws for what is not an event", () => {
  for (
    const body of [null, 7, {}, { id: "evt_1" }, event("x", null), { ...event("x", {}), created: "now" }]
  ) {
    assert.throws(() => read(body));
  }
});

Deno.test("kindOfType() says what an event without its payload is about", () => {
  const types = ["customer.subscription.deleted", "subscription_schedule.updated", "invoice.paid"];
  assert.deepEqual(types.map(kindOfType), ["subscription", "subscription", "invoice"]);
  assert.deepEqual(["checkout.session.completed", "customer.updated", "toString"].map(kindOfType), [
    "ask",
    "record",
    "record",
  ]);
});
