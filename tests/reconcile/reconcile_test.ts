import assert from "node:assert/strict";
import { type ReconcileReport } from "../../billing/reconcile/reconciliation.ts";
import { scheduledHandler } from "../../billing/http/scheduled_handler.ts";
import type { Event } from "@dues/stripe-simulator";
import { pay } from "@dues/stripe-simulator/testing";
import { customerOf, liveSubscriptions } from "../events/lives.ts";
import { type Scene, type Stage, startScene, startSceneWithPurchase, startStage } from "../events/scene.ts";
import { assertMatchesStripe, knowledgeOf } from "../events/truth.ts";
import { quiet } from "../support/quiet.ts";

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);

let stage: Stage;
Deno.test.beforeAll(async () => {
  stage = await startStage();
});
Deno.test.afterAll(async () => await stage?.[Symbol.asyncDispose]());

/** "garden" has bought the pro plan, so many days ago, and no event is delivered. */
const purchase = ({ daysAgo = 0 } = {}): Promise<Scene> =>
  startSceneWithPurchase(stage, { startsAt: now() - daysAgo * DAY });

/** The same, with all events delivered. */
async function deliveredPurchase({ daysAgo = 0 } = {}): Promise<Scene> {
  const scene = await purchase({ daysAgo });
  for (const event of scene.events) await accept(scene, event);
  return scene;
}

async function accept(scene: Scene, event: Event) {
  const response = await scene.deliver(event);
  assert.equal(response.status, 200, await response.text());
}

const assertEqual = (scene: Scene) => assertMatchesStripe(scene, ["garden", "chess"]);

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

/** A report without the counts of what was looked at. */
function findings({ eventsFrom: _, eventsSeen: __, objectsCompared: ___, ...rest }: ReconcileReport) {
  return rest;
}

Deno.test("reconcile() applies events that were never delivered, once", async () => {
  await using scene = await purchase();
  const report = await scene.reconcile();
  assert.deepEqual(
    new Set(report.missedEvents.map(({ id }) => id)),
    new Set(scene.events.map(({ id }) => id)),
  );
  assert.equal(await planOf(scene), "pro");
  await assertEqual(scene);
  assert.deepEqual(findings(await scene.reconcile()), nothing);
});

Deno.test("reconcile() repairs a subscription whose event is older than Stripe keeps events", async () => {
  await using scene = await deliveredPurchase({ daysAgo: 40 });
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

Deno.test("reconcile() fetches an open invoice that is too old for the list", async () => {
  await using scene = await purchase({ daysAgo: 70 });
  const isPaid = ({ type }: Event) => type === "invoice.paid" || type === "invoice.payment_succeeded";
  for (const event of scene.events.filter((event) => !isPaid(event))) await accept(scene, event);
  await scene.stripe.subscriptions.cancel(subscriptionOf(scene).id);
  await accept(scene, scene.events.at(-1)!);
  await scene.pass(70 * DAY);
  assert.notEqual((await knowledgeOf(scene)).invoices[0].status, "paid");
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("reconcile() repairs rows that were changed by hand", async () => {
  await using scene = await deliveredPurchase();
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

Deno.test("reconcile() restores rows that were deleted by hand", async () => {
  await using scene = await deliveredPurchase();
  await stage.operator`delete from public.subscriptions`;
  await stage.operator`delete from public.invoices`;
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("reconcile() corrects a current plan that was changed by hand", async () => {
  await using scene = await deliveredPurchase();
  await stage.operator`
    update public.communities c set current_plan_id = p.id from public.plans p
    where (c.id, p.code) in (('garden', 'free'), ('chess', 'team'))`;
  const { plansChanged } = await scene.reconcile();
  assert.equal(plansChanged, 2);
  await assertEqual(scene);
});

Deno.test("reconcile() reports a subscription that Stripe does not have, and its community keeps the plan", async () => {
  await using scene = await deliveredPurchase();
  const { id } = subscriptionOf(scene);
  scene.simulator.account.subscriptions.remove(id);
  assert.deepEqual((await scene.reconcile()).missingInStripe, [id]);
  assert.equal(await planOf(scene), "pro");
  const anomalies = await stage.operator`
    select kind, object_id, community_id from billing.anomalies where resolved_at is null`;
  assert.deepEqual([...anomalies], [{ kind: "missing_in_stripe", object_id: id, community_id: "garden" }]);
});

Deno.test("reconcile() links a customer that was created and never linked", async () => {
  await using scene = await startScene(stage, { communities: ["garden"] });
  const { id } = await scene.stripe.customers.create({ metadata: { dues_community_id: "garden" } });
  const { linkedCustomers } = await scene.reconcile();
  assert.deepEqual(linkedCustomers, [{ id, communityId: "garden" }]);
  assert.deepEqual((await scene.reconcile()).linkedCustomers, []);
});

Deno.test("reconcile() links a customer whose purchase is older than Stripe keeps events", async () => {
  await using scene = await startScene(stage, {
    communities: ["garden", "chess"],
    startsAt: now() - 40 * DAY,
  });
  const { stripe, prices } = scene;
  const customer = await stripe.customers.create({ metadata: { dues_community_id: "garden" } });
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

Deno.test("reconcile() forgets a customer whose deletion is older than Stripe keeps events", async () => {
  await using scene = await deliveredPurchase({ daysAgo: 40 });
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

Deno.test("reconcile() leaves a community its customer when another customer names the community, too", async () => {
  await using scene = await deliveredPurchase();
  const id = customerOf(scene, "garden")!;
  await scene.stripe.customers.create({ metadata: { dues_community_id: "garden" } });
  assert.deepEqual(findings(await scene.reconcile()), nothing);
  assert.equal((await knowledgeOf(scene)).customers.garden, id);
});

Deno.test("reconcile() reports a customer that Stripe does not have, until Stripe has it again", async () => {
  await using scene = await deliveredPurchase();
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

Deno.test("reconcile() ignores customers, subscriptions and sessions of no community", async () => {
  await using scene = await deliveredPurchase();
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

Deno.test("reconcile() expires an open checkout session of a community with a subscription", async () => {
  await using scene = await deliveredPurchase();
  const open = await scene.stripe.checkout.sessions.create({
    mode: "subscription",
    customer: customerOf(scene, "garden"),
    client_reference_id: "garden",
    metadata: { dues_community_id: "garden", dues_attempt: "0" },
    line_items: [{ price: scene.prices.pro, quantity: 1 }],
    success_url: "https://parent.example/",
  });
  const waiting = await scene.click("chess", "pro");
  assert.deepEqual((await scene.reconcile()).expiredCheckoutSessions, [open.id]);
  const { data } = await scene.stripe.checkout.sessions.list({ status: "open" });
  assert.deepEqual(data.map(({ id }) => id), [waiting.sessionId]);
});

Deno.test("reconcile() ends a grace period that is over", async () => {
  await using scene = await deliveredPurchase();
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

Deno.test("reconcile() reduces payloads after 90 days, except those of open events", async () => {
  await using scene = await deliveredPurchase();
  await scene.reconcile(); // the next run does not look back to those events
  const [parked] = await stage.operator`
    update billing.stripe_events set outcome = 'parked', customer_id = 'cus_nobody'
    where id = (select min(id) from billing.stripe_events) returning id`;
  await stage.operator`update billing.stripe_events set received_at = now() - interval '91 days'`;
  const { payloadsReduced } = await scene.reconcile();
  assert.equal(payloadsReduced, scene.events.length - 1);
  const kept = await stage.operator`select id from billing.stripe_events where payload ? 'data'`;
  assert.deepEqual([...kept], [{ id: parked.id }]);
});

Deno.test("reconcile() processes parked events whose customer is linked now", async () => {
  await using scene = await purchase();
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

Deno.test("linking a customer processes its parked events, also when only Stripe knows their order", async () => {
  await using scene = await purchase();
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
  assert.equal(first.status, 503, "Stripe was unreachable, so it has to be delivered again");
  await accept(scene, linking);
  await assertEqual(scene);
  assert.deepEqual(findings(await scene.reconcile()), nothing);
});

Deno.test("two overlapping reconcile() calls among deliveries leave the database matching Stripe", async () => {
  await using scene = await purchase();
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

Deno.test("reconcile() looks for events since the last run that caught up, even if that run did not finish", async () => {
  using _ = quiet();
  await using scene = await purchase();
  const daysBack = async () => {
    const [{ days }] = await stage.operator`
      select round(extract(epoch from started_at - events_from) / 86400)::integer as days
      from billing.reconciliations order by id desc limit 1`;
    return days;
  };
  const { faults } = scene.simulator;
  const failRequests = (target: string) =>
    faults.add({ kind: "api_error", target, status: 500, carried_out: false });

  failRequests("GET /v1/events");
  await assert.rejects(scene.reconcile(), { code: "stripe_unavailable" });
  assert.equal(await daysBack(), 30);
  faults.clear();
  failRequests("GET /v1/invoices");
  await assert.rejects(scene.reconcile(), { code: "stripe_unavailable" });
  assert.equal(await daysBack(), 30, "the run before had not caught up");
  faults.clear();
  const { eventsSeen } = await scene.reconcile();
  assert.equal(await daysBack(), 0, "the run before had caught up");
  assert.equal(eventsSeen, scene.events.length, "all events are within the extra hour");
  await assertEqual(scene);
});

Deno.test("reconcile() can run again after it was interrupted", async () => {
  using _ = quiet();
  await using scene = await purchase();
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

Deno.test("the scheduled handler runs only for POST with the schedules' secret", async () => {
  await using scene = await purchase();
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
    [{ apikey: secret }, "PUT", 405],
    [{ apikey: "another" }, "GET", 400],
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
