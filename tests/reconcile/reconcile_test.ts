import assert from "node:assert/strict";
import type { ReconcileReport } from "../../billing/reconcile/report.ts";
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

const nothing: Omit<ReconcileReport, "eventsSeen" | "objectsCompared"> = {
  isComplete: true,
  missedEvents: [],
  processedEvents: [],
  linkedCustomers: [],
  forgottenCustomers: [],
  repairs: [],
  missingInStripe: [],
  failedObjects: [],
  failedParts: [],
  expiredCheckoutSessions: [],
  plansChanged: 0,
  payloadsReduced: 0,
  rowsPruned: 0,
};

/** A report without the counts of what was looked at. */
function findings({ eventsSeen: _, objectsCompared: __, ...rest }: ReconcileReport) {
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
  scene.simulator.account.subscriptions.put({ ...subscriptionOf(scene), status: "past_due" });
  await scene.reconcile();
  // The payment failed so long ago, and nobody has looked since.
  const failedAgo = (ago: string) =>
    stage.operator`
      with failed as (
        update public.subscriptions s set past_due_since = now() - ${ago}::interval, version = version + 1,
          gives_plan_until = now() - ${ago}::interval + interval '7 days' returning s.community_id, s.gives_plan_until)
      update public.communities c set plan_until = failed.gives_plan_until from failed where c.id = failed.community_id`;
  const storedPlan = async () => {
    const [{ code }] = await stage.operator`
      select p.code from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = 'garden'`;
    return code;
  };
  await failedAgo("6 days 23 hours");
  assert.equal((await scene.reconcile()).plansChanged, 0);
  assert.equal(await planOf(scene), "pro");
  await failedAgo("7 days 1 hour");
  assert.deepEqual(
    [await storedPlan(), await planOf(scene)],
    ["pro", "free"],
    "the plan in force is up to date",
  );
  assert.equal((await scene.reconcile()).plansChanged, 1);
  assert.equal(await storedPlan(), "free");
});

Deno.test("reconcile() removes payloads after 90 days, and run reports, resolved anomalies and job histories in their time", async () => {
  await using scene = await deliveredPurchase();
  const { operator } = stage;
  await operator`update billing.stripe_events set received_at = now() - interval '91 days'
    where id <> (select min(id) from billing.stripe_events)`;
  await operator`insert into billing.reconciliations (started_at) values (now() - interval '91 days'), (now())`;
  await operator`insert into billing.anomalies (kind, object_id, detail, resolved_at) values
    ('meter_error', 'old', '', now() - interval '366 days'), ('meter_error', 'newer', '', now()), ('meter_error', 'open', '', null)`;
  await operator`create schema if not exists cron`;
  await operator`create table if not exists cron.job_run_details (runid bigint primary key, end_time timestamptz)`;
  await operator`insert into cron.job_run_details values (1, now() - interval '8 days'), (2, now())`;
  try {
    const { payloadsReduced, rowsPruned } = await scene.reconcile();
    assert.deepEqual([payloadsReduced, rowsPruned], [scene.events.length - 1, 3]);
    const [{ kept }] =
      await operator`select count(*)::int as kept from billing.stripe_events where payload is not null`;
    assert.equal(kept, 1);
    assert.deepEqual(
      (await operator`select object_id from billing.anomalies order by 1`).map(({ object_id }) => object_id),
      [
        "newer",
        "open",
      ],
    );
  } finally {
    await operator`drop schema cron cascade`;
  }
});

Deno.test("reconcile() links a customer whose events were parked, and stores its objects", async () => {
  await using scene = await purchase();
  const { operator } = stage;
  await operator`delete from billing.customers`;
  await operator`update public.communities set stripe_customer_id = null`;
  const others = scene.events.filter(({ type }) => type !== "checkout.session.completed");
  for (const event of others) await accept(scene, event);
  assert.equal((await knowledgeOf(scene)).subscriptions.length, 0);
  const parked = await operator`select payload from billing.stripe_events where outcome = 'parked'`;
  assert.ok(parked.length > 0);
  assert.ok(parked.every(({ payload }) => payload === null), "of nobody's customers no payload is kept");
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
  scene.simulator.faults.add({
    kind: "api_error",
    target: "GET /v1/*",
    status: 500,
    carried_out: false,
    next: 1000,
  });
  await accept(scene, linking);
  assert.equal((await knowledgeOf(scene)).subscriptions.length, 0, "Stripe was unreachable");
  scene.simulator.faults.clear();
  assert.ok((await scene.reconcile()).processedEvents.length > 0);
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

Deno.test("reconcile() goes on after a list that fails, and the next run reads that list from where it failed", async () => {
  using _ = quiet();
  await using scene = await purchase();
  const { faults } = scene.simulator;
  const sinceDays = async () => {
    const rows = await stage.operator`
      select round(extract(epoch from now() - since) / 86400)::integer as days
      from billing.reconciliation_cursors where list like 'events:%'`;
    return rows.map(({ days }) => days);
  };
  const failingRun = async (target: string) => {
    faults.add({ kind: "api_error", target, status: 500, carried_out: false, next: 1000 });
    const { failedParts, isComplete } = await scene.reconcile();
    faults.clear();
    return { failed: failedParts.map(({ part }) => part), isComplete };
  };

  assert.deepEqual(await failingRun("GET /v1/events"), {
    failed: ["events:0", "events:1"],
    isComplete: false,
  });
  assert.deepEqual(await sinceDays(), [30, 30]);
  await assertEqual(scene);
  assert.deepEqual((await failingRun("GET /v1/invoices")).failed, ["invoices", "open_invoices"]);
  assert.deepEqual(await sinceDays(), [30, 30], "the run before had not read the events");
  const { eventsSeen } = await scene.reconcile();
  assert.deepEqual(await sinceDays(), [0, 0], "the run before had read them");
  assert.equal(eventsSeen, scene.events.length, "all events are within the extra hour");
  await assertEqual(scene);
});

Deno.test("reconcile() can run again after it was interrupted", async () => {
  using _ = quiet();
  await using scene = await purchase();
  for (const when of ["query", "answer"] as const) {
    // A page is compared; an answer is stored.
    for (const text of ['[{"id":"in_', '"price_ids"']) {
      stage.proxy.breakNext(when, text);
      await assert.rejects(scene.reconcile(), { code: "database_unavailable" }, `${when} of ${text}`);
      await stage.operator`delete from public.invoices`;
    }
  }
  await scene.reconcile();
  await assertEqual(scene);
});

Deno.test("the scheduled handler runs only for POST with the schedules' secret", async () => {
  await using scene = await purchase();
  const secret = "a-secret-that-is-long-enough-0123456789";
  const handle = scheduledHandler({ secret, run: () => scene.reconcile({ timeLimit: 60_000 }) });
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
