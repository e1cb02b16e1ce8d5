/** What fails or is interrupted in a reconciliation holds up nothing else, and comes to an end. */
import assert from "node:assert/strict";
import type Stripe from "stripe";
import { pay } from "@dues/stripe-simulator/testing";
import { liveSubscriptions } from "../events/lives.ts";
import { type Scene, type Stage, startScene, startSceneWithPurchase, startStage } from "../events/scene.ts";
import { assertMatchesStripe, knowledgeOf } from "../events/truth.ts";
import { quiet } from "../support/quiet.ts";

let stage: Stage;
Deno.test.beforeAll(async () => {
  stage = await startStage();
});
Deno.test.afterAll(async () => await stage?.[Symbol.asyncDispose]());

const communities = ["garden", "chess"];
const subscriptionOf = (scene: Scene, community = "garden") => liveSubscriptions(scene, community)[0];

const openAnomalies = async () =>
  (await stage.operator`
    select kind, object_id, community_id from billing.anomalies where resolved_at is null`).map((row) => ({
    ...row,
  }));

/** Counts the calls of one of the product's methods, and may let one fail before it is made. */
function watch<Arguments extends unknown[], Result>(
  resource: object,
  method: string,
  before: (call: number, ...args: Arguments) => void = () => {},
) {
  const original = Reflect.get(resource, method) as (...args: Arguments) => Result;
  const calls: Arguments[] = [];
  Reflect.set(resource, method, (...args: Arguments) => {
    calls.push(args);
    before(calls.length, ...args);
    return original.apply(resource, args);
  });
  return calls;
}

Deno.test("reconcile() goes on after an object that it does not understand, tries it ever more rarely, and gives it up", async () => {
  using _ = quiet();
  await using scene = await startSceneWithPurchase(stage);
  const { sessionId } = await scene.click("chess", "team");
  await pay(scene.simulator, sessionId);
  const { account } = scene.simulator;
  const good = subscriptionOf(scene);
  account.subscriptions.put({ ...good, collection_method: 7 as never });

  const report = await scene.reconcile();
  assert.deepEqual(report.failedObjects.map(({ id }) => id), [good.id]);
  assert.deepEqual((await knowledgeOf(scene)).plans, { garden: "free", chess: "team" });
  const asked = watch<[string], unknown>(scene.deps.stripe.subscriptions, "retrieve");
  await stage.operator`update billing.reconciliation_cursors set read_until = now() - interval '2 hours'`;
  assert.deepEqual((await scene.reconcile({})).failedObjects, []);
  assert.deepEqual(asked, [], "it is not due");

  await stage.operator`update billing.object_failures set attempts = 11, next_attempt_at = now()`;
  await scene.reconcile({});
  assert.equal(asked.length, 1);
  const anomalies = (await openAnomalies()).filter(({ kind }) => kind !== "unreadable_event");
  assert.deepEqual(anomalies, [{ kind: "unreadable_object", object_id: good.id, community_id: "garden" }]);
  const [{ next_attempt_at }] = await stage.operator`select next_attempt_at from billing.object_failures`;
  assert.equal(next_attempt_at, null, "given up");

  account.subscriptions.put(good);
  await scene.reconcile();
  await assertMatchesStripe(scene, communities);
  assert.deepEqual(await openAnomalies(), []);
  assert.deepEqual([...await stage.operator`select from billing.object_failures`], []);
});

Deno.test("reconcile() goes on where the last run ended, begins no list again within an hour, and all of them in a full run", async () => {
  using _ = quiet();
  await using scene = await startSceneWithPurchase(stage);
  const { account } = scene.simulator;
  const template = subscriptionOf(scene);
  const { id: customer } = await scene.stripe.customers.create({});
  for (let nth = 0; nth < 230; nth++) {
    account.subscriptions.put({ ...template, id: `sub_stranger_${nth}`, customer });
  }
  const { subscriptions } = scene.deps.stripe;
  const lists = watch<[Stripe.SubscriptionListParams], unknown>(subscriptions, "list", (call) => {
    if (call === 2) throw new Error("the run is interrupted");
  });
  const first = await scene.reconcile({});
  assert.deepEqual(first.failedParts, [{ part: "subscriptions", error: "the run is interrupted" }]);
  assert.equal(first.isComplete, false);
  const [{ after_id }] = await stage.operator`
    select after_id from billing.reconciliation_cursors where list = 'subscriptions'`;
  assert.match(after_id, /^sub_/);

  lists.length = 2;
  assert.equal((await scene.reconcile({})).isComplete, true);
  assert.deepEqual(lists.slice(2).map(([{ starting_after }]) => starting_after === after_id), [true, false]);
  await assertMatchesStripe(scene, communities);
  const read = lists.length;
  await scene.reconcile({});
  assert.equal(lists.length, read, "it was read within the last hour");
  await scene.reconcile();
  assert.deepEqual(
    [lists.length - read, lists[read][0].starting_after],
    [3, undefined],
    "from the top, to the end",
  );
});

Deno.test("reconcile() ends at its time limit, and runs that follow cover the rest", async () => {
  await using scene = await startSceneWithPurchase(stage);
  const slow = watch<[], unknown>(scene.deps.stripe.events, "list");
  const first = await scene.reconcile({ timeLimit: 0 });
  assert.deepEqual([first.isComplete, slow.length], [false, 0]);
  for (let run = 0, isComplete = false; !isComplete; run++) {
    assert.ok(run < 50);
    ({ isComplete } = await scene.reconcile({ timeLimit: 60 }));
  }
  await assertMatchesStripe(scene, communities);
});

Deno.test("reconcile() reads a list from the top when Stripe does not know the last object any more", async () => {
  await using scene = await startSceneWithPurchase(stage);
  await stage.operator`
    insert into billing.reconciliation_cursors (list, round_started_at, since, after_id)
    select list, now() - interval '40 days', now() - interval '70 days', 'evt_expired' from unnest(array['events:0', 'events:1']) list`;
  const { missedEvents, failedParts } = await scene.reconcile({});
  assert.deepEqual([missedEvents.length, failedParts], [scene.events.length, []]);
  await assertMatchesStripe(scene, communities);
});

Deno.test("reconcile() reads events and objects of an account whose API version is old", async () => {
  await using scene = await startScene(stage, { communities });
  scene.simulator.account.defaultVersion = "2024-06-20";
  const { sessionId } = await scene.click("garden", "pro");
  await pay(scene.simulator, sessionId);
  const { missedEvents } = await scene.reconcile();
  assert.equal(missedEvents.length, scene.events.length);
  assert.deepEqual(missedEvents.filter(({ outcome }) => outcome !== "applied" && outcome !== "ignored"), []);
  const versions = await stage.operator`select distinct api_version from billing.stripe_events`;
  assert.deepEqual([...versions], [{ api_version: "2024-06-20" }]);
  await assertMatchesStripe(scene, communities);
});

Deno.test("reconcile() asks once for what Stripe has forgotten, and takes that back when Stripe shows it", async () => {
  await using scene = await startSceneWithPurchase(stage);
  for (const event of scene.events) await (await scene.deliver(event)).body?.cancel();
  const { account } = scene.simulator;
  const subscription = subscriptionOf(scene);
  account.subscriptions.remove(subscription.id);
  const asked = watch<[string], unknown>(scene.deps.stripe.subscriptions, "retrieve");
  assert.deepEqual((await scene.reconcile()).missingInStripe, [subscription.id]);
  assert.deepEqual((await scene.reconcile()).missingInStripe, []);
  assert.equal(asked.length, 1);
  assert.deepEqual(await openAnomalies(), [
    { kind: "missing_in_stripe", object_id: subscription.id, community_id: "garden" },
  ]);
  account.subscriptions.put(subscription);
  await scene.reconcile();
  await assertMatchesStripe(scene, communities);
  assert.deepEqual(await openAnomalies(), []);
});

Deno.test("reconcile() closes a draft that was deleted without an event, and is not asked about it again", async () => {
  await using scene = await startSceneWithPurchase(stage);
  const customer = String(subscriptionOf(scene).customer);
  const draft = await scene.stripe.invoices.create({ customer });
  for (const event of scene.events) await (await scene.deliver(event)).body?.cancel();
  scene.simulator.account.invoices.remove(draft.id!);
  const { repairs, missingInStripe } = await scene.reconcile();
  assert.deepEqual(repairs.map(({ id, was, is }) => ({ id, was, is })), [{
    id: draft.id,
    was: "draft",
    is: "deleted",
  }]);
  assert.deepEqual(missingInStripe, []);
  const asked = watch<[string], unknown>(scene.deps.stripe.invoices, "retrieve");
  await scene.reconcile();
  assert.deepEqual(asked, []);
  await assertMatchesStripe(scene, communities);
  assert.deepEqual(await openAnomalies(), []);
});

Deno.test("reconcile() does not end for one event or customer that fails", async () => {
  using _ = quiet();
  await using scene = await startSceneWithPurchase(stage);
  for (const event of scene.events) await (await scene.deliver(event)).body?.cancel();
  const { customers } = scene.simulator.account;
  const customer = customers.get(String(subscriptionOf(scene).customer))!;
  customers.remove(customer.id);
  await stage.operator`
    insert into billing.stripe_events (id, type, created_at, livemode, outcome, payload, next_attempt_at)
    values ('evt_bad', 'invoice.paid', now(), false, 'failed', '{}', now())`;
  watch<[string], unknown>(scene.deps.stripe.customers, "retrieve", () => {
    throw new Error("a bad day");
  });
  const report = await scene.reconcile();
  assert.deepEqual(report.failedObjects, [{ id: customer.id, error: "a bad day" }]);
  assert.deepEqual(report.processedEvents.map(({ id, outcome }) => [id, outcome]), [["evt_bad", "failed"]]);
  assert.deepEqual(report.failedParts, []);
  const [failure] = await stage.operator`select kind, community_id, attempts from billing.object_failures`;
  assert.deepEqual({ ...failure }, { kind: "customer", community_id: "garden", attempts: 1 });
});
