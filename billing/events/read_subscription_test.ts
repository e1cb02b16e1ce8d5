import assert from "node:assert/strict";
import { readSubscription } from "./read_subscription.ts";
import { IncompleteObjectError } from "./stripe_fields.ts";

const price = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  product: `prod_${id}`,
  currency: "usd",
  unit_amount: 2900,
  unit_amount_decimal: "2900",
  recurring: { interval: "month", interval_count: 1, usage_type: "licensed" },
  ...more,
});

const item = (id: string, end: number, more: Record<string, unknown> = {}) => ({
  id,
  current_period_start: 1_000,
  current_period_end: end,
  quantity: 2,
  price: price(id),
  ...more,
});

const list = (data: object[], has_more = false) => ({ object: "list", data, has_more });

const subscription = (more: Record<string, unknown> = {}) => ({
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
  items: list([item("flat", 3_000)]),
  ...more,
});

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

Deno.test("readSubscription() reads every item, amounts with decimals and metered ones too", () => {
  const metered = price("metered", {
    unit_amount: null,
    unit_amount_decimal: "0.25",
    recurring: { interval: "year", interval_count: 2, usage_type: "metered" },
  });
  const { customerId, state } = readSubscription(subscription({
    items: list([item("metered", 2_000, { quantity: undefined, price: metered }), item("flat", 3_000)]),
  }));
  assert.equal(customerId, "cus_1");
  assert.deepEqual(state.items, [{
    id: "metered",
    price_id: "metered",
    product_id: "prod_metered",
    quantity: null,
    unit_amount: 0.25,
    currency: "usd",
    interval: "year",
    interval_count: 2,
    usage_type: "metered",
    current_period_start: iso(1_000),
    current_period_end: iso(2_000),
  }, {
    id: "flat",
    price_id: "flat",
    product_id: "prod_flat",
    quantity: 2,
    unit_amount: 2900,
    currency: "usd",
    interval: "month",
    interval_count: 1,
    usage_type: "licensed",
    current_period_start: iso(1_000),
    current_period_end: iso(3_000),
  }]);
  assert.deepEqual(state.price_ids, ["metered", "flat"]);
  assert.equal(state.current_period_end, iso(2_000), "the earliest end");
});

Deno.test("readSubscription() sets cancel_at from any of Stripe's three ways", () => {
  const cancelAt = (more: Record<string, unknown>) => readSubscription(subscription(more)).state.cancel_at;
  const phase = { start_date: 1_000, end_date: 9_000, items: [{ price: "flat", quantity: 1 }] };
  const schedule = {
    id: "sub_sched_1",
    status: "active",
    end_behavior: "cancel",
    phases: [phase],
    current_phase: { start_date: 1_000, end_date: 9_000 },
  };
  assert.equal(cancelAt({}), null);
  assert.equal(cancelAt({ cancel_at: 2_500 }), iso(2_500));
  assert.equal(cancelAt({ cancel_at_period_end: true }), iso(3_000));
  assert.equal(cancelAt({ schedule }), iso(9_000));
  assert.equal(cancelAt({ schedule: { ...schedule, end_behavior: "release" } }), null);
  assert.equal(cancelAt({ schedule: { ...schedule, status: "canceled" } }), null);
});

Deno.test("readSubscription() reads what a schedule changes next, and when", () => {
  const schedule = {
    id: "sub_sched_1",
    status: "active",
    end_behavior: "release",
    phases: [
      { start_date: 1_000, end_date: 3_000, items: [{ price: "flat", quantity: 1 }] },
      {
        start_date: 3_000,
        end_date: 5_000,
        items: [{ price: { id: "big" }, quantity: 3 }, { price: "metered" }],
      },
    ],
    current_phase: { start_date: 1_000, end_date: 3_000 },
  };
  const items = [{ price_id: "big", quantity: 3 }, { price_id: "metered", quantity: null }];
  const scheduleOf = (more: Record<string, unknown>) =>
    readSubscription(subscription({ schedule: { ...schedule, ...more } })).state.schedule;
  assert.deepEqual(scheduleOf({}), { id: "sub_sched_1", next_phase: { starts_at: iso(3_000), items } });
  assert.deepEqual(scheduleOf({ current_phase: { start_date: 3_000, end_date: 5_000 } }), {
    id: "sub_sched_1",
    next_phase: null,
  });
});

Deno.test("readSubscription() reads discounts, a pause, a pending change and the reason of a cancellation", () => {
  const coupon = { name: "Spring", percent_off: 12.5, amount_off: null, currency: null };
  const { state } = readSubscription(subscription({
    discounts: [{ id: "di_1", end: 5_000, source: { type: "coupon", coupon } }],
    pause_collection: { behavior: "void", resumes_at: 4_000 },
    pending_update: { expires_at: 2_000, subscription_items: [{ price: { id: "big" }, quantity: 1 }] },
    cancellation_details: { reason: "cancellation_requested", feedback: "too_expensive", comment: "Bye" },
  }));
  assert.deepEqual(state.discounts, [{ ...coupon, ends_at: iso(5_000) }]);
  assert.deepEqual(state.pause_collection, { behavior: "void", resumes_at: iso(4_000) });
  assert.deepEqual(state.pending_update, {
    expires_at: iso(2_000),
    items: [{ price_id: "big", quantity: 1 }],
  });
  assert.deepEqual(
    [state.cancellation_reason, state.cancellation_feedback, state.cancellation_comment],
    ["cancellation_requested", "too_expensive", "Bye"],
  );
});

Deno.test("readSubscription() throws IncompleteObjectError where only ids or the first page are given", () => {
  for (
    const more of [{ items: list([item("a", 1)], true) }, { discounts: ["di_1"] }, {
      schedule: "sub_sched_1",
    }]
  ) {
    assert.throws(() => readSubscription(subscription(more)), IncompleteObjectError);
  }
});

Deno.test("readSubscription() gives equal states the same hash, and different ones another", () => {
  const hash = (more: Record<string, unknown>) => readSubscription(subscription(more)).hash;
  assert.equal(hash({}), hash({ unknown_field: 1 }));
  assert.notEqual(hash({}), hash({ cancel_at: 2_500 }));
});
