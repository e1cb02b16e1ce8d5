import assert from "node:assert/strict";
import { runOperatorTask } from "../support/operator_task.ts";
import { type Scene, startSceneWithPurchase, startStage } from "../events/scene.ts";
import { assertMatchesStripe } from "../events/truth.ts";

const runTask = ({ stage, simulator }: Scene, file: string, args?: string[]) =>
  runOperatorTask({ databaseUrl: stage.operatorUrl, stripeUrl: simulator.url }, file, args);

const assertEqual = (scene: Scene) => assertMatchesStripe(scene, ["garden", "chess"]);

Deno.test("deno task reconcile repairs differences and prints them as JSON or as a table", async () => {
  await using stage = await startStage();
  await using scene = await startSceneWithPurchase(stage);
  const { success, out, err } = await runTask(scene, "reconcile.ts", ["--json"]);
  assert.ok(success, err);
  const report = JSON.parse(out);
  assert.deepEqual(
    report.missedEvents.map(({ id }: { id: string }) => id).sort(),
    scene.events.map(({ id }) => id).sort(),
  );
  await assertEqual(scene);

  await stage.operator`update public.subscriptions set status = 'unpaid'`;
  const { out: table } = await runTask(scene, "reconcile.ts");
  assert.match(table, /subscription differed.*sub_\w+.*garden: was unpaid.*active/);
  assert.match((await runTask(scene, "reconcile.ts")).out, /Nothing differed from Stripe\./);
  await assertEqual(scene);
});

Deno.test("deno task events:replay applies events of the event log again, by id or by time", async () => {
  await using stage = await startStage();
  await using scene = await startSceneWithPurchase(stage);
  for (const event of scene.events) await (await scene.deliver(event)).body?.cancel();
  const created = scene.events.find(({ type }) => type === "customer.subscription.created")!;

  await stage.operator`delete from public.subscriptions`;
  const byId = await runTask(scene, "replay_events.ts", [created.id, "evt_unknown"]);
  assert.ok(byId.success, byId.err);
  assert.match(byId.out, RegExp(`${created.id}: applied`));
  assert.match(byId.out, /evt_unknown: not in the event log/);

  await stage.operator`
    update billing.stripe_events set payload = null where id = ${created.id}`;
  await stage.operator`delete from public.invoices`;
  const byTime = await runTask(scene, "replay_events.ts", ["--from", "2020-01-01T00:00Z"]);
  assert.ok(byTime.success, byTime.err);
  assert.equal(byTime.out.trim().split("\n").length, scene.events.length);
  await assertEqual(scene);

  const wrong = await runTask(scene, "replay_events.ts");
  assert.equal(wrong.success, false);
  assert.match(wrong.err, /^Usage: deno task events:replay/);
});
