import assert from "node:assert/strict";
import { connectDatabase } from "../../billing/db/database.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { addCommunities } from "../support/communities.ts";
import { delivery, secrets, startStripeStandIn, stripeEvent, subscription } from "./stripe_stand_in.ts";
import { setUpWebhook as setUp } from "./webhook_rig.ts";

async function problem(response: Response) {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  return [response.status, (await response.json()).code];
}

Deno.test("the webhook sets the plan when a subscription is active, and the free plan when it has ended", async () => {
  await using it = await setUp();
  assert.deepEqual(
    await it.deliver(stripeEvent("customer.subscription.created", 100, subscription("active"))),
    [
      200,
      "applied",
    ],
  );
  assert.equal(await it.plan(), "pro");
  await it.deliver(
    stripeEvent("customer.subscription.deleted", 200, subscription("canceled", { ended_at: 200 })),
  );
  assert.equal(await it.plan(), "free");
});

Deno.test("the webhook refuses unsigned, altered, foreign and old deliveries with invalid_signature", async () => {
  await using it = await setUp();
  const event = stripeEvent("customer.subscription.created", 100, subscription("active"));
  const now = Math.floor(Date.now() / 1000);
  const unsigned = new Request("http://127.0.0.1/", { method: "POST", body: JSON.stringify(event) });
  const altered = await delivery(event);
  const alteredBody = new Request(altered.url, {
    method: "POST",
    headers: altered.headers,
    body: JSON.stringify(event).replace("active", "trialing"),
  });
  const refused = [
    unsigned,
    alteredBody,
    await delivery(event, { secret: "whsec_of_somebody" }),
    await delivery(event, { timestamp: now - 301 }),
    await delivery(event, { headers: { "stripe-signature": "t=1,v1=,v0" } }),
  ];
  for (const request of refused) {
    assert.deepEqual(await problem(await it.handle(request)), [400, "invalid_signature"]);
  }
  assert.equal(await it.plan(), "free");
  const [{ count }] = await it.operator`select count(*)::int from billing.stripe_events`;
  assert.equal(count, 0);
});

Deno.test("the webhook accepts each of several signing secrets", async () => {
  await using it = await setUp();
  for (const secret of secrets) {
    const response = await it.handle(await delivery(stripeEvent("a.type", 100, {}), { secret }));
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("the webhook refuses signed bodies that are no events, other methods and large bodies", async () => {
  await using it = await setUp();
  for (
    const body of ["{", "null", "[]", "7", "{}", '{"object":"v2.core.event","id":"evt_1"}', '{"id":"evt_1"}']
  ) {
    assert.deepEqual(await problem(await it.handle(await delivery(body))), [400, "invalid_event"], body);
  }
  const get = await it.handle(new Request("http://127.0.0.1/"));
  assert.equal(get.headers.get("allow"), "POST");
  assert.deepEqual(await problem(get), [405, "method_not_allowed"]);
  assert.deepEqual(await problem(await it.handle(await delivery("x".repeat(1024 * 1024 + 1)))), [
    413,
    "payload_too_large",
  ]);
});

Deno.test("the webhook records an event of an unknown type as ignored and answers 200", async () => {
  await using it = await setUp();
  const event = stripeEvent("account.updated", 100, { id: "acct_1", object: "account" });
  assert.deepEqual(await it.deliver(event), [200, "ignored"]);
  const [row] = await it
    .operator`select type, outcome, payload from billing.stripe_events where id = ${event.id}`;
  assert.deepEqual([row.type, row.outcome, row.payload], ["account.updated", "ignored", null]);
});

Deno.test("the webhook answers 422 to an event that Stripe's answer does not explain either, and applies it when delivered again", async () => {
  await using it = await setUp();
  const odd = stripeEvent("customer.subscription.updated", 100, subscription("active", { items: null }));
  it.standIn.objects.set("sub_1", subscription("active", { items: null }));
  const response = await it.handle(await delivery(odd));
  assert.deepEqual(await problem(response), [422, "unreadable_event"]);
  const [{ outcome }] = await it.operator`select outcome from billing.stripe_events where id = ${odd.id}`;
  assert.equal(outcome, "failed");

  // The same event, in a form that is understood.
  const understood = { ...odd, data: { object: subscription("active") } };
  assert.deepEqual(await it.deliver(understood), [200, "applied"]);
  assert.equal(await it.plan(), "pro");
});

Deno.test("the webhook answers 503 when the database is unreachable", async () => {
  const db = connectDatabase("postgresql://billing_service:x@127.0.0.1:1/nowhere", { max: 1 });
  await using standIn = startStripeStandIn();
  const handle = webhookHandler({ db, stripe: standIn.stripe, isLive: false, secrets });
  const response = await handle(await delivery(stripeEvent("a.type", 100, {})));
  assert.ok(response.headers.has("retry-after"));
  assert.deepEqual(await problem(response), [503, "database_unavailable"]);
  await db.close();
});

Deno.test("fifty simultaneous deliveries of one event apply it once and are all counted", async () => {
  await using it = await setUp();
  const event = stripeEvent("customer.subscription.created", 100, subscription("active"));
  const results = await Promise.all(Array.from({ length: 50 }, () => it.deliver(event)));
  assert.deepEqual(results.map(([status]) => status), Array(50).fill(200));
  assert.equal(results.filter(([, outcome]) => outcome === "applied").length, 1);
  assert.equal(results.filter(([, outcome]) => outcome === "duplicate").length, 49);
  const [{ deliveries }] = await it.operator`select deliveries from billing.stripe_events`;
  assert.equal(deliveries, 50);
});

Deno.test("two states in one second lead to one fetch from Stripe, in either order of arrival", async () => {
  for (const order of [["incomplete", "active"], ["active", "incomplete"]]) {
    await using it = await setUp();
    it.standIn.objects.set("sub_1", subscription("active"));
    for (const status of order) {
      const event = stripeEvent("customer.subscription.updated", 100, subscription(status));
      assert.deepEqual(await it.deliver(event), [200, "applied"]);
    }
    assert.equal(await it.plan(), "pro");
    assert.equal(it.standIn.asked(), 1);
  }
});

Deno.test("the grace period starts when the payment last began to fail, in any order of events", async () => {
  const ago = (days: number) => Math.floor(Date.now() / 1000) - days * 86_400;
  // States of different days differ in trial_end, too, unless `sameAs` names the day of another.
  const stated = (status: string, days: number, sameAs = days) =>
    stripeEvent("customer.subscription.updated", ago(days), subscription(status, { trial_end: ago(sameAs) }));
  const histories = [
    { since: 3, plan: "pro", events: [stated("past_due", 20), stated("active", 18), stated("past_due", 3)] },
    {
      since: 10,
      plan: "free",
      events: [stated("active", 20), stated("past_due", 10), stated("past_due", 3)],
    },
    {
      since: 10,
      plan: "free",
      events: [stated("active", 20), stated("past_due", 10), stated("past_due", 3, 10)],
    },
  ];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  for (const { since, plan, events } of histories) {
    for (const order of orders) {
      await using it = await setUp();
      for (const nth of order) await it.deliver(events[nth]);
      const [row] = await it.operator`
        select extract(day from now() - past_due_since)::int as days from public.subscriptions`;
      assert.deepEqual([row.days, await it.plan()], [since, plan], String(order));
    }
  }
});

Deno.test("an event stays pending while Stripe is unreachable, and is applied when delivered again", async () => {
  await using it = await setUp();
  await it.deliver(stripeEvent("customer.subscription.created", 100, subscription("incomplete")));
  const tied = stripeEvent("customer.subscription.updated", 100, subscription("active"));
  it.standIn.setDown(true);
  assert.equal((await it.deliver(tied))[0], 503);
  assert.equal(await it.plan(), "free");

  it.standIn.setDown(false);
  it.standIn.objects.set("sub_1", subscription("active"));
  assert.deepEqual(await it.deliver(tied), [200, "applied"]);
  assert.equal(await it.plan(), "pro");
});

Deno.test("an event about an object that Stripe does not have becomes the anomaly missing_in_stripe", async () => {
  await using it = await setUp();
  await it.deliver(stripeEvent("customer.subscription.created", 100, subscription("incomplete")));
  const tied = stripeEvent("customer.subscription.updated", 100, subscription("active"));
  assert.deepEqual(await it.deliver(tied), [200, "applied"]);
  assert.deepEqual(await it.settleOpenEvents(), []);
  const anomalies = await it
    .operator`select kind, object_id from billing.anomalies where resolved_at is null`;
  assert.deepEqual([...anomalies], [{ kind: "missing_in_stripe", object_id: "sub_1" }]);
});

Deno.test("an event of an unlinked customer is parked, and applied when the customer is linked", async () => {
  await using it = await setUp();
  const early = subscription("active", { id: "sub_2", customer: "cus_chess" });
  it.standIn.objects.set("sub_2", early);
  assert.deepEqual(await it.deliver(stripeEvent("customer.subscription.created", 100, early)), [
    200,
    "parked",
  ]);
  await addCommunities(it.operator, "chess");
  const checkout = {
    id: "cs_1",
    object: "checkout.session",
    customer: "cus_chess",
    client_reference_id: "chess",
    metadata: { dues_community_id: "chess" },
  };
  assert.deepEqual(await it.deliver(stripeEvent("checkout.session.completed", 100, checkout)), [
    200,
    "applied",
  ]);
  const [{ community_id }] = await it
    .operator`select community_id from public.subscriptions where id = 'sub_2'`;
  assert.equal(community_id, "chess");
});

const thin = {
  object: "v2.core.event",
  id: "evt_thin",
  type: "v1.billing.meter.error_report_triggered",
  created: "2026-11-22T00:00:00.000Z",
  livemode: false,
  related_object: { id: "mtr_1", type: "billing.meter", url: "/v1/billing/meters/mtr_1" },
};

Deno.test("a thin event that is not understood is stored as failed, and applied once it is understood", async () => {
  await using it = await setUp();
  it.standIn.objects.set(thin.id, { ...thin, data: { of_an: "unknown shape" } });
  assert.deepEqual(await problem(await it.handle(await delivery(thin))), [422, "unreadable_event"]);
  assert.deepEqual(await it.settleOpenEvents({ waits: true }), [], "not due yet");
  assert.deepEqual((await it.settleOpenEvents()).map(({ outcome }) => outcome), ["failed"]);

  const reason = { error_count: 1, error_types: [{ code: "no_meter", error_count: 1 }] };
  it.standIn.objects.set(thin.id, { ...thin, data: { developer_message_summary: "One", reason } });
  const [{ id, outcome }] = await it.settleOpenEvents();
  assert.deepEqual([id, outcome], [thin.id, "applied"]);
  assert.deepEqual(await it.settleOpenEvents(), []);
  const anomalies = await it.operator`
    select kind from billing.anomalies where resolved_at is null`;
  assert.deepEqual(anomalies, [{ kind: "meter_error" }]);
});

Deno.test("a thin event about refused usage becomes the anomaly meter_error", async () => {
  await using it = await setUp();
  it.standIn.setDown(true);
  assert.equal((await it.deliver(thin))[0], 503, "not acknowledged while its data cannot be fetched");

  it.standIn.setDown(false);
  const reason = {
    error_count: 2,
    error_types: [{ code: "meter_event_customer_not_found", error_count: 2 }],
  };
  it.standIn.objects.set(thin.id, {
    ...thin,
    data: { developer_message_summary: "Two were refused", reason },
  });
  assert.deepEqual(await it.deliver(thin), [200, "applied"]);
  assert.deepEqual(await it.deliver(thin), [200, "duplicate"]);
  const [anomaly] = await it.operator`select kind, object_id, detail from billing.anomalies`;
  assert.deepEqual({ ...anomaly }, {
    kind: "meter_error",
    object_id: "mtr_1",
    detail: "Two were refused (2 refused: meter_event_customer_not_found)",
  });
  const forged = await delivery(thin, { secret: "whsec_of_somebody" });
  assert.deepEqual(await problem(await it.handle(forged)), [400, "invalid_signature"]);
});
