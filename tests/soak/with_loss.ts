// A failure prints its seed and path, with which tests/billing/histories_test.ts repeats it.
import { checkWithLoss } from "../billing/histories.ts";
import { startStage } from "../billing/scene.ts";
import { SOAK } from "./soak.ts";

Deno.test(`${SOAK.numRuns} histories, some events of which are lost`, async () => {
  await using stage = await startStage();
  await checkWithLoss(stage, SOAK);
});
