/** What real Stripe accounts send: add-ons, other apps' customers, old API versions, odd texts and bad days. */
import assert from "node:assert/strict";
import { addCommunities } from "../support/communities.ts";
import { quiet } from "../support/quiet.ts";
import {
  delivery,
  invoice,
  invoiceLine,
  itemList,
  stripeEvent,
  subscription,
  subscriptionItem,
} from "./stripe_stand_in.ts";
import { setUpWebhook } from "./webhook_rig.ts";

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);

type Rig = Awaited<ReturnType<typeof setUpWebhook>>;

/** Delivers a state of a subscription, and asserts that it is applied. */
async function apply(it: Rig, created: number, object: { status: string }) {
  assert.deepEqual(await it.deliver(stripeEvent("customer.subscription.updated", created, object)), [
    200,
    "applied",
  ]);
}

/** Delivers a state of an invoice, and asserts that it is applied. */
async function applyInvoice(it: Rig, created: number, object: { status: string }) {
  assert.deepEqual(await it.deliver(stripeEvent("invoice.updated", created, object)), [200, "applied"]);
}

const selling = (prices: string[], more: Record<string, unknown> = {}) =>
  subscription("active", { items: itemList(prices.map((price) => subscriptionItem(price))), ...more });

const row = async (it: Rig, id = "sub_1") =>
  (await it.operator`select * from public.subscriptions where id = ${id}`)[0];

Deno.test("the plan is found behind an add-on, in any order of the items, and of two plans' prices the higher rank counts", async () => {
  const orders = [
    { prices: ["price_addon", "price_pro"], plan: "pro" },
    { prices: ["price_pro", "price_addon"], plan: "pro" },
    { prices: ["price_addon", "price_basic", "price_seat", "price_pro"], plan: "pro" },
    { prices: ["price_pro", "price_basic"], plan: "pro" },
    { prices: ["price_addon", "price_basic"], plan: "basic" },
    { prices: ["price_addon"], plan: "free" },
  ];
  await using it = await setUpWebhook();
  for (const [nth, { prices, plan }] of orders.entries()) {
    await it.operator`truncate public.subscriptions`;
    await apply(it, nth + 1, selling(prices));
    assert.equal(await it.plan(), plan, prices.join());
    const { items } = await row(it);
    assert.deepEqual(items.map(({ price_id }: { price_id: string }) => price_id), prices, "read whole");
    assert.deepEqual(await it.anomalies(), []);
  }
});

Deno.test("items beyond the first page are asked for", async () => {
  await using it = await setUpWebhook();
  const items = ["one", "two", "three", "price_pro", "five"].map((price) => subscriptionItem(price));
  const partial = subscription("active", { items: itemList(items.slice(0, 2), { has_more: true }) });
  it.standIn.objects.set("sub_1", partial);
  it.standIn.lists.set("sub_1", items);
  await apply(it, 100, partial);
  assert.deepEqual([(await row(it)).items.length, await it.plan()], [5, "pro"]);

  const lines = ["one", "two", "price_pro"].map((price) => invoiceLine(price));
  const partialInvoice = invoice("paid", { lines: itemList(lines.slice(0, 1), { has_more: true }) });
  it.standIn.objects.set("in_1", partialInvoice);
  it.standIn.lists.set("in_1", lines);
  await applyInvoice(it, 100, partialInvoice);
  const [{ code }] = await it.operator`
    select p.code from public.invoices i join public.plans p on p.id = i.plan_id`;
  assert.equal(code, "pro");
});

Deno.test("a subscription to something else gives, keeps and shadows no plan, and is no anomaly", async () => {
  await using it = await setUpWebhook();
  await apply(it, 100, selling(["price_pro"]));
  await apply(it, 200, selling(["price_onboarding"], { id: "sub_onboarding" }));
  assert.deepEqual([await it.plan(), await it.anomalies()], ["pro", []]);
  await apply(it, 300, subscription("canceled", { ended_at: 300 }));
  assert.equal(await it.plan(), "free", "pro has ended, and the onboarding goes on");
  const [overview] = await it.operator`
    select plan, subscription_id, other_subscriptions::int from public.billing_overview where community_id = 'garden'`;
  assert.deepEqual({ ...overview }, { plan: "free", subscription_id: "sub_1", other_subscriptions: 1 });
  const items = await it
    .operator`select price_id, plan from public.subscription_items where subscription_id = 'sub_onboarding'`;
  assert.deepEqual([...items], [{ price_id: "price_onboarding", plan: null }]);
});

Deno.test("a payload of another API version is asked of Stripe, and never half-read", async () => {
  await using it = await setUpWebhook();
  await applyInvoice(it, 100, invoice("open"));
  // Before 2025-03-31.basil an invoice had no key `parent`, and a subscription had its period at the top.
  const { parent: _, ...withoutParent } = invoice("paid");
  it.standIn.objects.set("in_1", invoice("paid"));
  const old = {
    ...stripeEvent("invoice.paid", 200, { ...withoutParent, subscription: "sub_1" }),
    api_version: "2024-06-20",
  };
  assert.deepEqual(await it.deliver(old), [200, "applied"]);
  const [stored] = await it.operator`select status, subscription_id from public.invoices`;
  assert.deepEqual({ ...stored }, { status: "paid", subscription_id: "sub_1" });

  const asked = it.standIn.asked();
  it.standIn.objects.set("sub_1", subscription("active"));
  const { items: __, ...withoutItems } = subscription("active", { current_period_end: 1_702_592_000 });
  const oldSubscription = stripeEvent("customer.subscription.created", 200, withoutItems);
  assert.deepEqual(await it.deliver({ ...oldSubscription, api_version: "2020-08-27" }), [200, "applied"]);
  assert.equal(await it.plan(), "pro");
  assert.equal(it.standIn.asked(), asked + 1);
});

Deno.test("an event of the other mode or of a connected account is refused, changes nothing, and nothing of it is kept", async () => {
  await using it = await setUpWebhook();
  const event = stripeEvent("customer.subscription.created", 100, subscription("active"));
  assert.deepEqual(await it.deliver({ ...event, id: "evt_live", livemode: true }), [200, "refused"]);
  assert.deepEqual(await it.deliver({ ...event, id: "evt_connected", account: "acct_1" }), [200, "refused"]);
  const rows = await it.operator`
    select livemode, account_id, payload, object_status from billing.stripe_events order by id`;
  assert.deepEqual(rows.map((row) => ({ ...row })), [
    { livemode: false, account_id: "acct_1", payload: null, object_status: null },
    { livemode: true, account_id: null, payload: null, object_status: null },
  ]);
  assert.deepEqual([await row(it), await it.plan()], [undefined, "free"]);
});

Deno.test("of a customer that is nobody's only ids, type and time are kept", async () => {
  await using it = await setUpWebhook();
  const stranger = { customer: "cus_stranger", customer_email: "ann@example.org" };
  assert.deepEqual(
    await it.deliver(stripeEvent("customer.subscription.created", 100, subscription("active", stranger))),
    [200, "parked"],
  );
  assert.deepEqual(
    await it.deliver(
      stripeEvent("customer.updated", 100, {
        id: "cus_stranger",
        object: "customer",
        email: "ann@example.org",
      }),
    ),
    [200, "ignored"],
  );
  assert.deepEqual(
    await it.deliver(stripeEvent("checkout.session.completed", 100, {
      id: "cs_1",
      object: "checkout.session",
      customer: null,
      client_reference_id: null,
      metadata: {},
      customer_details: { email: "ann@example.org" },
    })),
    [200, "ignored"],
  );
  const [{ kept }] = await it.operator`
    select count(*)::int as kept from billing.stripe_events e where e::text like '%ann@example.org%' or payload is not null`;
  assert.equal(kept, 0);
});

Deno.test("text that Postgres cannot store is replaced, and the event is processed as any other", async () => {
  await using it = await setUpWebhook();
  assert.deepEqual(
    await it.deliver(
      stripeEvent("customer.updated", 100, { id: "cus_garden", object: "customer", name: "A\u0000B\ud800" }),
    ),
    [200, "ignored"],
  );
  const cancellation_details = { reason: "cancellation_requested", feedback: null, comment: "bye\u0000" };
  await apply(it, 100, subscription("active", { cancellation_details }));
  assert.equal((await row(it)).cancellation_comment, "bye\ufffd");
  const reasons = await it.operator`select reason from billing.stripe_events`;
  for (const { reason } of reasons) assert.match(reason, /text that cannot be stored was replaced/);
  // The answer of Stripe's has the same text.
  it.standIn.objects.set("sub_1", subscription("past_due", { cancellation_details }));
  await apply(it, 100, subscription("past_due", { cancellation_details }));
  assert.equal((await row(it)).status, "past_due");
});

Deno.test("an event that the database cannot store is recorded without its contents, and its object is asked for", async () => {
  await using it = await setUpWebhook();
  it.standIn.objects.set("sub_1", subscription("active"));
  const deep = "[".repeat(400_000) + "]".repeat(400_000);
  const event = stripeEvent(
    "customer.subscription.created",
    100,
    subscription("active", { metadata: "DEEP" }),
  );
  const body = JSON.stringify(event).replace('"DEEP"', deep);
  const response = await it.handle(await delivery(body));
  assert.equal(response.status, 200, await response.text());
  assert.equal(await it.plan(), "pro");
  const [{ payload, outcome }] = await it.operator`
    select payload is not null as payload, outcome from billing.stripe_events`;
  assert.deepEqual([payload, outcome], [false, "applied"]);
});

Deno.test("a deleted draft stays deleted, whatever arrives after it", async () => {
  await using it = await setUpWebhook();
  const draft = invoice("draft", { number: null });
  const status = async () =>
    (await it.operator`select status from public.invoices`).map(({ status }) => status);
  await it.deliver(stripeEvent("invoice.created", 100, draft));
  assert.deepEqual(await it.deliver(stripeEvent("invoice.deleted", 200, draft)), [200, "applied"]);
  assert.deepEqual(await status(), ["deleted"]);
  assert.deepEqual(await it.deliver(stripeEvent("invoice.updated", 300, draft)), [200, "stale"]);
  assert.deepEqual(await status(), ["deleted"]);

  await it.operator`truncate public.invoices`;
  assert.deepEqual(await it.deliver(stripeEvent("invoice.deleted", 200, draft)), [200, "applied"]);
  assert.deepEqual(
    await it.deliver(stripeEvent("invoice.created", 100, draft)),
    [200, "stale"],
    "created arrives late",
  );
  assert.deepEqual(await status(), ["deleted"]);
  assert.deepEqual(await it.anomalies(), []);
});

Deno.test("a draft that Stripe does not know when it is asked stays deleted, whatever arrives after it", async () => {
  await using it = await setUpWebhook();
  const draft = invoice("draft");
  const deleted = { ...stripeEvent("invoice.deleted", 200, draft), api_version: "2024-06-20" };
  assert.deepEqual(await it.deliver(deleted), [200, "ignored"]);
  assert.deepEqual(await it.deliver(stripeEvent("invoice.created", 100, draft)), [200, "stale"]);
  const [{ status }] = await it.operator`select status from public.invoices`;
  assert.deepEqual([status, await it.anomalies()], ["deleted", []]);
});

Deno.test("a draft that Stripe does not know when it is asked is deleted, without an anomaly", async () => {
  await using it = await setUpWebhook();
  const draft = invoice("draft");
  await it.deliver(stripeEvent("invoice.created", 100, draft));
  const old = { ...stripeEvent("invoice.updated", 200, draft), api_version: "2024-06-20" };
  assert.deepEqual(await it.deliver(old), [200, "ignored"]);
  const [{ status }] = await it.operator`select status from public.invoices`;
  assert.deepEqual([status, await it.anomalies()], ["deleted", []]);
});

Deno.test("a change to a dearer plan that is never paid gives nothing, and its failure takes nothing that was paid", async () => {
  const bought = selling(["price_basic"]);
  const paid = invoice("paid", { id: "in_1", created: 100, lines: itemList([invoiceLine("price_basic")]) });
  const changed = selling(["price_pro"], { status: "past_due" });
  const failed = invoice("open", {
    id: "in_2",
    created: 200,
    billing_reason: "subscription_update",
    lines: itemList([invoiceLine("price_basic", -900), invoiceLine("price_pro")]),
  });
  const since = now() - DAY;
  const events = [
    stripeEvent("customer.subscription.created", since - 100, bought),
    stripeEvent("invoice.paid", since - 100, paid),
    stripeEvent("customer.subscription.updated", since, changed),
    stripeEvent("invoice.payment_failed", since, failed),
  ];
  const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
  await using it = await setUpWebhook();
  for (const order of orders) {
    await it.operator`truncate public.subscriptions, public.invoices, billing.stripe_events`;
    for (const nth of order) assert.equal((await it.deliver(events[nth]))[0], 200);
    assert.equal(await it.plan(), "basic", order.join());
  }
  const paidNow = { ...failed, status: "paid", amount_paid: 2000 };
  assert.deepEqual(await it.deliver(stripeEvent("invoice.paid", since + 10, paidNow)), [200, "applied"]);
  assert.equal(await it.plan(), "pro", "paid in the end");
});

Deno.test("a renewal at an old price keeps the plan, and what is paid is what Stripe says", async () => {
  await using it = await setUpWebhook();
  await apply(it, 100, selling(["price_pro"]));
  await it
    .operator`update public.plans set stripe_price_id = 'price_dearer', price_cents = 9900 where code = 'pro'`;
  await apply(it, 200, selling(["price_pro"], { latest_invoice: "in_1" }));
  assert.equal(await it.plan(), "pro");
  const { unit_amount, currency, billing_interval, quantity } = await row(it);
  assert.deepEqual([unit_amount, currency, billing_interval, quantity], ["2900", "usd", "month", "1"]);
  assert.deepEqual(await it.anomalies(), []);
});

Deno.test("a price that no plan knows keeps the plan of its subscription for the grace period, not for ever", async () => {
  await using it = await setUpWebhook();
  await apply(it, now() - 40 * DAY, selling(["price_pro"]));
  await apply(it, now() - 6 * DAY, selling(["price_typo"]));
  assert.deepEqual([await it.plan(), await it.anomalies()], ["pro", ["unknown_price"]]);
  await it.operator`truncate public.subscriptions`;
  await apply(it, now() - 40 * DAY, selling(["price_pro"]));
  await apply(it, now() - 8 * DAY, selling(["price_typo"]));
  assert.deepEqual([await it.plan(), await it.anomalies()], ["free", ["unknown_price"]]);
  // The operator gives the price to the plan.
  await it.operator`update public.plans set stripe_price_id = 'price_typo' where code = 'pro'`;
  assert.deepEqual([await it.plan(), await it.anomalies()], ["pro", []]);
});

Deno.test("paused payments keep the plan; a paused subscription gives none", async () => {
  await using it = await setUpWebhook();
  const pause_collection = { behavior: "void", resumes_at: 1_800_000_000 };
  await apply(it, 100, subscription("active", { pause_collection }));
  assert.equal(await it.plan(), "pro");
  assert.deepEqual((await row(it)).pause_collection, {
    behavior: "void",
    resumes_at: "2027-01-15T08:00:00.000Z",
  });
  await apply(it, 200, subscription("paused"));
  assert.equal(await it.plan(), "free");
});

Deno.test("discounts and a schedule are asked for, since events give only their ids", async () => {
  await using it = await setUpWebhook();
  const phase = (price: string, start_date: number) => ({
    start_date,
    end_date: start_date + 100 * DAY,
    items: [{ price, quantity: 1 }],
  });
  it.standIn.objects.set(
    "sub_1",
    selling(["price_basic"], {
      discounts: [{
        id: "di_1",
        end: null,
        source: {
          type: "coupon",
          coupon: { id: "c", name: "Spring", percent_off: 20, amount_off: null, currency: null },
        },
      }],
      schedule: {
        id: "sub_sched_1",
        status: "active",
        end_behavior: "release",
        phases: [phase("price_basic", 1_700_000_000), phase("price_pro", 1_700_000_000 + 100 * DAY)],
        current_phase: { start_date: 1_700_000_000, end_date: 1_700_000_000 + 100 * DAY },
      },
    }),
  );
  await apply(it, 100, selling(["price_basic"], { discounts: ["di_1"], schedule: "sub_sched_1" }));
  const stored = await row(it);
  assert.deepEqual(stored.discounts, [{
    name: "Spring",
    percent_off: 20,
    amount_off: null,
    currency: null,
    ends_at: null,
  }]);
  const [{ code }] = await it.operator`
    select p.code from public.subscriptions s join public.plans p on p.id = s.next_plan_id`;
  assert.deepEqual([code, stored.next_change_at.getTime() / 1000], ["pro", 1_700_000_000 + 100 * DAY]);
});

Deno.test("an archived price or product of a plan is an anomaly until it is active again, or the plan has another price", async () => {
  await using it = await setUpWebhook();
  const price = (active: boolean) => ({ id: "price_pro", object: "price", active });
  const product = (active: boolean) => ({ id: "dues_pro", object: "product", active });
  await it.deliver(stripeEvent("price.updated", 100, price(false)));
  await it.deliver(stripeEvent("product.updated", 100, product(false)));
  await it.deliver(
    stripeEvent("price.updated", 100, { id: "price_of_another_app", object: "price", active: false }),
  );
  assert.deepEqual(await it.anomalies(), ["price_archived", "price_archived"]);
  await it.deliver(stripeEvent("price.updated", 200, price(true)));
  await it.deliver(stripeEvent("product.updated", 200, product(true)));
  assert.deepEqual(await it.anomalies(), []);
  await it.deliver(stripeEvent("price.deleted", 300, price(false)));
  assert.deepEqual(await it.anomalies(), ["price_archived"]);
  const open = await it.operator`select kind, object_id from public.open_anomalies`;
  assert.deepEqual([...open], [{ kind: "price_archived", object_id: "price_pro" }]);
  await it.operator`update public.plans set stripe_price_id = 'price_new' where code = 'pro'`;
  assert.deepEqual(await it.anomalies(), []);
});

Deno.test("an event that fails holds up no other, whatever their number, and is given up after a week", async () => {
  using _ = quiet();
  await using it = await setUpWebhook();
  // Of a handled type, and without an id of the object: nobody can ask Stripe about them.
  await it.operator`
    insert into billing.stripe_events (id, type, created_at, livemode, outcome, payload, next_attempt_at)
    select 'evt_bad_' || n, 'invoice.paid', now() - interval '1 day', false, 'failed',
      json_build_object('id', 'evt_bad_' || n, 'type', 'invoice.paid', 'created', 1, 'livemode', false, 'data',
        json_build_object('object', json_build_object('object', 'invoice'))), now() - interval '1 hour'
    from generate_series(1, 500) n`;
  await it.operator`
    insert into billing.stripe_events (id, type, created_at, livemode, customer_id, object_id, outcome, next_attempt_at)
    values ('evt_good', 'customer.subscription.created', now(), false, 'cus_garden', 'sub_1', 'pending', now())`;
  it.standIn.objects.set("sub_1", subscription("active"));
  const processed = await it.settleOpenEvents({ waits: true });
  assert.deepEqual([processed.length, await it.plan()], [501, "pro"]);
  assert.deepEqual(await it.settleOpenEvents({ waits: true }), [], "what failed is not due again yet");

  // Its last attempt.
  await it
    .operator`update billing.stripe_events set attempts = 11, next_attempt_at = now() where id = 'evt_bad_1'`;
  await it.settleOpenEvents({ waits: true });
  const [{ outcome, next_attempt_at }] = await it.operator`
    select outcome, next_attempt_at from billing.stripe_events where id = 'evt_bad_1'`;
  assert.deepEqual([outcome, next_attempt_at], ["given_up", null]);
  const [{ count }] = await it.operator`
    select count(*)::int from billing.anomalies where kind = 'unreadable_event' and resolved_at is null`;
  assert.equal(count, 500);
});

Deno.test("a given-up event is settled by a later answer about its object, and its anomaly is resolved", async () => {
  using _ = quiet();
  await using it = await setUpWebhook();
  it.standIn.objects.set("sub_1", subscription("active", { items: null }));
  const odd = stripeEvent("customer.subscription.created", 100, subscription("active", { items: null }));
  assert.equal((await it.handle(await delivery(odd))).status, 422);
  await it.operator`update billing.stripe_events set attempts = 11`;
  await it.operator`update billing.stripe_events set next_attempt_at = now()`;
  await it.settleOpenEvents({ waits: true });
  const [anomaly] = await it.operator`select community_id from billing.anomalies where resolved_at is null`;
  assert.equal(anomaly.community_id, "garden", "it names its community");

  it.standIn.objects.set("sub_1", subscription("active"));
  await it.deliver({
    ...stripeEvent("customer.subscription.updated", 200, subscription("active")),
    api_version: "2024-06-20",
  });
  const outcomes = await it.operator`select distinct outcome from billing.stripe_events`;
  assert.deepEqual([[...outcomes], await it.anomalies()], [[{ outcome: "applied" }], []]);
});

Deno.test("with a silent Stripe, six pairs of one second are answered 503 in time, other webhooks as before, and settled later", async () => {
  using _ = quiet();
  await using it = await setUpWebhook();
  const ids = Array.from({ length: 6 }, (_, nth) => `sub_${nth}`);
  for (const id of ids) await apply(it, 100, subscription("incomplete", { id }));
  it.standIn.setSilent(true);
  const begun = performance.now();
  const tied = ids.map((id) =>
    it.deliver(stripeEvent("customer.subscription.updated", 100, subscription("active", { id })))
  );
  await addCommunities(it.operator, "chess");
  await it.operator`select billing.link_customer('chess', 'cus_chess')`;
  await apply(it, 100, subscription("active", { id: "sub_chess", customer: "cus_chess" }));
  assert.ok(performance.now() - begun < 3_000, "nothing is held while Stripe is asked");
  const held = await it.operator`
    select pid from pg_stat_activity where usename = 'billing_service' and state like 'idle in transaction%'`;
  assert.deepEqual([...held], []);
  for (const [status] of await Promise.all(tied)) assert.equal(status, 503);
  assert.ok(performance.now() - begun < 9_000);
  const [{ pending }] = await it.operator`
    select count(*)::int as pending from billing.stripe_events where outcome = 'pending'`;
  assert.equal(pending, 6, "recorded all the same");

  it.standIn.setSilent(false);
  for (const id of ids) it.standIn.objects.set(id, subscription("active", { id }));
  assert.equal((await it.settleOpenEvents()).length, 6);
  const statuses = await it.operator`select distinct status from public.subscriptions`;
  assert.deepEqual([...statuses], [{ status: "active" }]);
});

Deno.test("an answer of Stripe's that is older than what arrived meanwhile is not stored: Stripe is asked again", async () => {
  await using it = await setUpWebhook();
  await apply(it, 100, subscription("incomplete"));
  it.standIn.objects.set("sub_1", subscription("active"));
  let interruptions = 0;
  it.standIn.setBeforeAnswer(async () => {
    if (interruptions++ > 0) return;
    // While the answer is under way, the subscription ends, and the event about that arrives first.
    const ended = subscription("canceled", { ended_at: 200 });
    it.standIn.objects.set("sub_1", ended);
    await apply(it, 200, ended);
  });
  const tied = stripeEvent("customer.subscription.updated", 100, subscription("trialing"));
  assert.equal((await it.deliver(tied))[0], 200);
  assert.deepEqual([(await row(it)).status, await it.plan()], ["canceled", "free"]);
});

Deno.test("an object that changes during every question stays pending, for a bounded number of questions", async () => {
  using _ = quiet();
  await using it = await setUpWebhook();
  await apply(it, 100, subscription("incomplete"));
  it.standIn.objects.set("sub_1", subscription("active"));
  let created = 1000;
  it.standIn.setBeforeAnswer(async () => {
    created += 1000;
    await apply(it, created, subscription("past_due", { trial_end: created }));
  });
  const tied = stripeEvent("customer.subscription.updated", 100, subscription("trialing"));
  assert.equal((await it.deliver(tied))[0], 503);
  assert.equal(it.standIn.asked(), 4);
  it.standIn.setBeforeAnswer(undefined);
  it.standIn.objects.set("sub_1", subscription("past_due"));
  assert.deepEqual((await it.settleOpenEvents()).map(({ outcome }) => outcome), ["applied"]);
});

Deno.test("one answer settles every open event of its object", async () => {
  using _ = quiet();
  await using it = await setUpWebhook();
  it.standIn.setDown(true);
  for (let nth = 0; nth < 5; nth++) {
    const event = stripeEvent("customer.subscription.updated", 100 + nth, subscription("active"));
    assert.equal((await it.deliver({ ...event, api_version: "2024-06-20" }))[0], 503);
  }
  it.standIn.setDown(false);
  it.standIn.objects.set("sub_1", subscription("active"));
  const asked = it.standIn.asked();
  assert.equal((await it.settleOpenEvents()).length, 5);
  assert.deepEqual([it.standIn.asked() - asked, await it.plan()], [1, "pro"]);
});

Deno.test("a subscription that Stripe forgets gives its plan for the grace period, and gives it again when Stripe shows it", async () => {
  await using it = await setUpWebhook();
  await apply(it, 100, subscription("active"));
  const ask = (created: number) =>
    it.deliver({
      ...stripeEvent("customer.subscription.updated", created, subscription("active")),
      api_version: "2024-06-20",
    });
  assert.deepEqual(await ask(200), [200, "applied"]);
  assert.deepEqual([await it.plan(), await it.anomalies()], ["pro", ["missing_in_stripe"]]);
  await it.operator`
    update public.subscriptions set missing_since = now() - interval '8 days', version = version + 1`;
  await it.operator`update public.plans set grace_period = '6 days' where code = 'pro'`;
  assert.equal(await it.plan(), "free");
  it.standIn.objects.set("sub_1", subscription("active"));
  assert.deepEqual(await ask(300), [200, "applied"]);
  assert.deepEqual([await it.plan(), await it.anomalies()], ["pro", []]);
});
