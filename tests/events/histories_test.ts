import { checkWithLoss, checkWithoutLoss } from "./histories.ts";
import { startStage } from "./scene.ts";

/** The same histories each time; `deno task test:soak` looks for others. */
const parameters = { seed: 1_795_000_000, numRuns: 20 };

Deno.test("communities live, events arrive anyhow: the database equals Stripe, with nothing left to reconcile", async () => {
  await using stage = await startStage();
  await checkWithoutLoss(stage, parameters);
});

Deno.test("communities live, events are lost: after one reconciliation the database equals Stripe", async () => {
  await using stage = await startStage();
  await checkWithLoss(stage, parameters);
});
