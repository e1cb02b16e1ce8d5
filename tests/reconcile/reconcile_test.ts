import assert from "node:assert/strict";
import { type ReconcileReport } from "../../billing/reconcile/reconcile.ts";
import { scheduledHandler } from "../../billing/http/scheduled_handler.ts";
import type { Event } from "../../packages/stripe-simulator/src/objects/event.ts";
import { pay } from "../../packages/stripe-simulator/tests/rig.ts";
import { customerOf, liveSubscriptions } from "../events/lives.ts";
import { quiet } from "../events/quiet.ts";
import { type Scene, type Stage, startScene, startStage } from "../events/scene.ts";
import { comparable, knowledgeOf, truthOf } from "../events/truth.ts";

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);

let stage: Stage;
Deno.test.beforeAll(async () => {
  stage = await startStage();
});
Deno.test.afterAll(async () => await stage?.[Symbol.asyncDispose]());

/** A scene in which "garden" has bought the pro plan, so many days ago, and nobody has told the database. */
async function bought({ daysAgo = 0 } = {}): Promise<Scene> {
  const scene = await startScene(stage, {
    communities: ["garden", "chess"],
    startsAt: now() - daysAgo * DAY,
  });
  const { sessionId } = await scene.click("garden", "pro");
  await pay(scene.simulator, sessionId);
  return scene;
}

async function told({ daysAgo = 0 } = {}): Promise<Scene> {
  const scene = await bought({ daysAgo });
  for (const event of scene.events) await accept(scene, event);
  return scene;
}

async function accept(scene: Scene, event: Event) {
  const response = await scene.deliver(event);
  assert.equal(response.status, 200, await response.text());
}

async function assertEqual(scene: Scene) {
  const truth = truthOf(scene, ["garden", "chess"]);
  assert.deepEqual(comparable(await knowledgeOf(scene), truth), comparable(truth, truth));
}

const planOf = async (scene: Scene) => (await knowledgeOf(scene)).plans.garden;

const subscriptionOf = (scene: Scene) => liveSubscriptions(scene, "garden")[0];

const nothing: Omit<ReconcileReport, "eventsFrom" | "eventsSeen" | "objectsCompared"> = {
  missedEvents: [],
  processedEvents: [],
  linkedCustomers: [],
  forgottenCustomers: [],
  repairs: [],
  missingInStripe: [],
  unreadable: [],
  expiredCheckoutSessions: [],
  plansChanged: 0,
  payloadsReduced: 0,
};

/** What a report found, without the counts of what it looked at. */
function findings({ eventsFrom: _, eventsSeen: __, objectsCompared: ___, ...rest }: ReconcileReport) {
  return rest;
}

Deno.test("events that never arrived are caught up on, once", async () => {
  await using scene = await bought();
  const report = await scene.reconcile();
  assert.deepEqual(
    new Set(report.missedEvents.map(({ id }) => id)),
    new Set(scene.events.map(({ id }) => id)),
  );
  assert.equal(await planOf(scene), "pro");
  await assertEqual(scene);
  assert.deepEqual(findings(await scene.reconcile()), nothing);
});

Deno.test("what happened before the events that Stripe keeps is found by comparing", async () => {
  await using scene = await told({ daysAgo: 40 });
  const { id } = subscriptionOf(scene);
  await scene.stripe.subscriptions.cancel(id);
  await scene.pass(40 * DAY);
  assert.equal(await planOf(scene), "pro", "the cancellation was lost");
  const { missedEvents, repairs } = await scene.reconcile();
  assert.deepEqual(missedEvents, []);
  assert.deepEqual(repairs, [{
    kind: "subscription",
    id,
    communityId: "garden",
    was: "active",
    is: "canceled",
  }]);
  assert.equal(await planOf(scene), "free");
  await assertEqual(scene);
});

Deno.test("an invoice that was left open before that is asked for by its id", async () => {
  await using scene = await bought({ daysAgo: 70 });
  const isPaid = ({ type }: Event) => type === "invoice.paid" || type === "invoice.payment_succeeded";
  for (const event of scene.events.filter((event) => !isPaid(event))) await accept(scene, event);
  await scene.stripe.subscriptions.cancel(subscriptionOf(scene).id);
  await accept(scene, scene.events.at(-1)!);
  await scene.pass(70 * DAY);
  assert.notEqual((await knowledgeOf(scene)).invoices[0].status, "paid");
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("what somebody changed in the database by hand is set right", async () => {
  await using scene = await told();
  const { operator } = stage;
  await operator`update public.subscriptions set status = 'canceled', ended_at = now()`;
  await operator`update public.invoices set status = 'open', amount_paid_cents = 0`;
  await operator`update public.communities set current_plan_id = (select id from public.plans where code = 'free')`;
  const { repairs } = await scene.reconcile();
  assert.deepEqual(repairs.map(({ kind, was, is }) => [kind, was, is]).sort(), [
    ["invoice", "open", "paid"],
    ["subscription", "canceled", "active"],
  ]);
  await assertEqual(scene);
});

Deno.test("a row that somebody deleted is written again", async () => {
  await using scene = await told();
  await stage.operator`delete from public.subscriptions`;
  await stage.operator`delete from public.invoices`;
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("a plan that somebody changed by hand is derived anew", async () => {
  await using scene = await told();
  await stage.operator`
    update public.communities c set current_plan_id = p.id from public.plans p
    where (c.id, p.code) in (('garden', 'free'), ('chess', 'team'))`;
  const { plansChanged } = await scene.reconcile();
  assert.equal(plansChanged, 2);
  await assertEqual(scene);
});

Deno.test("a subscription that Stripe does not know is reported, and keeps its plan", async () => {
  await using scene = await told();
  const { id } = subscriptionOf(scene);
  scene.simulator.account.subscriptions.remove(id);
  assert.deepEqual((await scene.reconcile()).missingInStripe, [id]);
  assert.equal(await planOf(scene), "pro");
  const anomalies = await stage.operator`
    select kind, object_id, community_id from billing.anomalies where resolved_at is null`;
  assert.deepEqual([...anomalies], [{ kind: "missing_in_stripe", object_id: id, community_id: "garden" }]);
});

Deno.test("a customer that was made for a community, and whose server then died, is found", async () => {
  await using scene = await startScene(stage, { communities: ["garden"] });
  const { id } = await scene.stripe.customers.create({ metadata: { community_id: "garden" } });
  const { linkedCustomers } = await scene.reconcile();
  assert.deepEqual(linkedCustomers, [{ id, communityId: "garden" }]);
  assert.deepEqual((await scene.reconcile()).linkedCustomers, []);
});

Deno.test("a customer that bought longer ago than Stripe keeps events, and of whom nobody heard, is found", async () => {
  await using scene = await startScene(stage, {
    communities: ["garden", "chess"],
    startsAt: now() - 40 * DAY,
  });
  const { stripe, prices } = scene;
  const customer = await stripe.customers.create({ metadata: { community_id: "garden" } });
  await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id }).then(({ id }) =>
    stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: prices.pro }],
      default_payment_method: id,
    })
  );
  await scene.pass(40 * DAY);
  await scene.reconcile();
  assert.equal(await planOf(scene), "pro");
  await assertEqual(scene);
});

Deno.test("a customer that was deleted longer ago than Stripe keeps events is forgotten, and the next click makes another", async () => {
  await using scene = await told({ daysAgo: 40 });
  const id = customerOf(scene, "garden")!;
  await scene.stripe.customers.del(id);
  await scene.pass(40 * DAY);
  assert.deepEqual((await scene.reconcile()).forgottenCustomers, [{ id, communityId: "garden" }]);
  await assertEqual(scene);
  await scene.click("garden", "pro");
  assert.notEqual(customerOf(scene, "garden"), id);
  assert.deepEqual((await scene.reconcile()).forgottenCustomers, []);
  await assertEqual(scene);
});

Deno.test("a community keeps the customer it has when another bears its name", async () => {
  await using scene = await told();
  const id = customerOf(scene, "garden")!;
  await scene.stripe.customers.create({ metadata: { community_id: "garden" } });
  assert.deepEqual(findings(await scene.reconcile()), nothing);
  assert.equal((await knowledgeOf(scene)).customers.garden, id);
});

Deno.test("a customer that Stripe does not know is reported until it is back", async () => {
  await using scene = await told();
  const { customers } = scene.simulator.account;
  const customer = customers.get(customerOf(scene, "garden")!)!;
  customers.remove(customer.id);
  assert.ok((await scene.reconcile()).missingInStripe.includes(customer.id));
  customers.put(customer);
  await scene.reconcile();
  assert.equal((await knowledgeOf(scene)).customers.garden, customer.id);
  const anomalies = await stage.operator`select object_id from billing.anomalies where resolved_at is null`;
  assert.deepEqual(anomalies, []);
});

Deno.test("what belongs to nobody here is left alone", async () => {
  await using scene = await told();
  const { stripe, prices } = scene;
  const stranger = await stripe.customers.create({});
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    customer: stranger.id,
    line_items: [{ price: prices.pro, quantity: 1 }],
    success_url: "https://elsewhere.example/",
  });
  await pay(scene.simulator, session.id);
  const { repairs, expiredCheckoutSessions } = await scene.reconcile();
  assert.deepEqual([repairs, expiredCheckoutSessions], [[], []]);
  assert.equal((await knowledgeOf(scene)).subscriptions.length, 1);
});

Deno.test("a checkout left open by a community that has a subscription by now is expired", async () => {
  await using scene = await told();
  const open = await scene.stripe.checkout.sessions.create({
    mode: "subscription",
    customer: customerOf(scene, "garden"),
    client_reference_id: "garden",
    metadata: { community_id: "garden", attempt: "0" },
    line_items: [{ price: scene.prices.pro, quantity: 1 }],
    success_url: "https://parent.example/",
  });
  const waiting = await scene.click("chess", "pro");
  assert.deepEqual((await scene.reconcile()).expiredCheckoutSessions, [open.id]);
  const { data } = await scene.stripe.checkout.sessions.list({ status: "open" });
  assert.deepEqual(data.map(({ id }) => id), [waiting.sessionId]);
});

Deno.test("a grace period that has run out takes the plan", async () => {
  await using scene = await told();
  await stage.operator`
    update public.subscriptions set status = 'past_due', past_due_since = now() - interval '6 days 23 hours'`;
  await stage.operator`
    update billing.object_sync set state = state || '{"status": "past_due"}' where kind = 'subscription'`;
  const { account } = scene.simulator;
  account.subscriptions.put({ ...subscriptionOf(scene), status: "past_due" });
  await stage
    .operator`update billing.object_sync set state = state || '{"payment_issue": "payment_failed"}' where kind = 'subscription'`;
  await stage.operator`update public.subscriptions set payment_issue = 'payment_failed'`;
  assert.equal((await scene.reconcile()).plansChanged, 0);
  assert.equal(await planOf(scene), "pro");
  await stage.operator`update public.subscriptions set past_due_since = past_due_since - interval '2 hours'`;
  assert.equal((await scene.reconcile()).plansChanged, 1);
  assert.equal(await planOf(scene), "free");
});

Deno.test("old payloads are reduced to their ids, except of events that are still open", async () => {
  await using scene = await told();
  await scene.reconcile(); // so that the next one does not look back to those events
  const [parked] = await stage.operator`
    update billing.stripe_events set outcome = 'parked', customer_id = 'cus_nobody'
    where id = (select min(id) from billing.stripe_events) returning id`;
  await stage.operator`update billing.stripe_events set received_at = now() - interval '91 days'`;
  const { payloadsReduced } = await scene.reconcile();
  assert.equal(payloadsReduced, scene.events.length - 1);
  const kept = await stage.operator`select id from billing.stripe_events where payload ? 'data'`;
  assert.deepEqual([...kept], [{ id: parked.id }]);
});

Deno.test("events that could not be settled when they came are settled", async () => {
  await using scene = await bought();
  const { operator } = stage;
  await operator`delete from billing.customers`;
  await operator`update public.communities set stripe_customer_id = null`;
  const others = scene.events.filter(({ type }) => type !== "checkout.session.completed");
  for (const event of others) await accept(scene, event);
  assert.equal((await knowledgeOf(scene)).subscriptions.length, 0);
  await operator`insert into billing.customers (id, community_id) values (${customerOf(
    scene,
    "garden",
  )!}, 'garden')`;
  await operator`update public.communities set stripe_customer_id = ${customerOf(
    scene,
    "garden",
  )!} where id = 'garden'`;
  const { missedEvents, processedEvents } = await scene.reconcile();
  assert.deepEqual(missedEvents.map(({ type }) => type), ["checkout.session.completed"]);
  assert.ok(processedEvents.length > 0);
  await assertEqual(scene);
});

Deno.test("events that waited for their customer are settled with it, also where only Stripe knows their order", async () => {
  await using scene = await bought();
  const { operator } = stage;
  await operator`delete from billing.customers`;
  await operator`update public.communities set stripe_customer_id = null`;
  const { id } = subscriptionOf(scene);
  await scene.stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await scene.stripe.subscriptions.update(id, { cancel_at_period_end: false });
  const linking = scene.events.find(({ type }) => type === "checkout.session.completed")!;
  for (const event of scene.events.filter((event) => event !== linking)) await accept(scene, event);

  using _ = quiet();
  scene.simulator.faults.add({ kind: "api_error", target: "GET /v1/*", status: 500, carried_out: false });
  const first = await scene.deliver(linking);
  await first.body?.cancel();
  assert.equal(first.status, 503, "Stripe was away: it must come again");
  await accept(scene, linking);
  await assertEqual(scene);
  assert.deepEqual(findings(await scene.reconcile()), nothing);
});

Deno.test("two runs at once, among deliveries, do no harm", async () => {
  await using scene = await bought();
  const { stripe } = scene;
  const { id } = subscriptionOf(scene);
  await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await stripe.subscriptions.update(id, { cancel_at_period_end: false });
  await Promise.all([
    scene.reconcile(),
    ...scene.events.map((event) => accept(scene, event)),
    scene.reconcile(),
    stripe.subscriptions.cancel(id),
  ]);
  await accept(scene, scene.events.at(-1)!);
  await assertEqual(scene);
  assert.deepEqual(findings(await scene.reconcile()), nothing);
});

Deno.test("events are looked for as far back as nobody has looked, even if no run was ever complete", async () => {
  using _ = quiet();
  await using scene = await bought();
  const daysBack = async () => {
    const [{ days }] = await stage.operator`
      select round(extract(epoch from started_at - events_from) / 86400)::integer as days
      from billing.reconciliations order by id desc limit 1`;
    return days;
  };
  const { faults } = scene.simulator;
  const away = (target: string) => faults.add({ kind: "api_error", target, status: 500, carried_out: false });

  away("GET /v1/events");
  await assert.rejects(scene.reconcile(), { code: "stripe_unavailable" });
  assert.equal(await daysBack(), 30);
  faults.clear();
  away("GET /v1/invoices");
  await assert.rejects(scene.reconcile(), { code: "stripe_unavailable" });
  assert.equal(await daysBack(), 30, "the run before had not seen them");
  faults.clear();
  const { eventsSeen } = await scene.reconcile();
  assert.equal(await daysBack(), 0, "the run before had");
  assert.equal(eventsSeen, scene.events.length, "but for those of the last hour");
  await assertEqual(scene);
});

Deno.test("a run that was cut off leaves nothing half done", async () => {
  using _ = quiet();
  await using scene = await bought();
  for (const when of ["query", "answer"] as const) {
    stage.proxy.breakNext(when, '[{"kind":"subscription","customer_id"');
    await assert.rejects(scene.reconcile(), { code: "database_unavailable" });
  }
  scene.simulator.faults.add({
    kind: "api_error",
    target: "GET /v1/invoices",
    status: 500,
    carried_out: false,
  });
  await assert.rejects(scene.reconcile(), { code: "stripe_unavailable" });
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("the scheduled function runs for whoever has the schedules' secret, and for nobody else", async () => {
  await using scene = await bought();
  const secret = "a-secret-that-is-long-enough-0123456789";
  const handle = scheduledHandler({ secret, run: scene.reconcile });
  const ask = (headers: HeadersInit, method = "POST") =>
    handle(new Request("http://127.0.0.1/reconcile", { method, headers }));
  const refused: [HeadersInit, string, number][] = [
    [{}, "POST", 400],
    [{ apikey: "" }, "POST", 400],
    [{ apikey: secret.slice(1) }, "POST", 400],
    [{ apikey: `${secret}x` }, "POST", 400],
    [{ authorization: `Bearer ${secret}` }, "POST", 400],
    [{ apikey: secret }, "GET", 405],
  ];
  for (const [headers, method, status] of refused) {
    const response = await ask(headers, method);
    await response.body?.cancel();
    assert.equal(response.status, status);
  }
  assert.equal((await stage.operator`select from billing.reconciliations`).length, 0);
  const report = await (await ask({ apikey: secret })).json();
  assert.equal(report.missedEvents.length, scene.events.length);
});
