import { checkWithLoss, checkWithoutLoss } from "./histories.ts";
import { startStage } from "./scene.ts";

/** The same histories in each run; `deno task test:soak` tries others. */
const parameters = { seed: 1_795_000_000, numRuns: 20 };

Deno.test("random histories: the database matches Stripe when all events are delivered, and reconcile() finds nothing", async () => {
  await using stage = await startStage();
  await checkWithoutLoss(stage, parameters);
});

Deno.test("random histories: the database matches Stripe after one reconcile() when events are lost", async () => {
  await using stage = await startStage();
  await checkWithLoss(stage, parameters);
});
