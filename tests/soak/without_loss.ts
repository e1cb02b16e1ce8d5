// A failure prints its seed and path, with which tests/events/histories_test.ts repeats it.
import { checkWithoutLoss } from "../events/histories.ts";
import { startStage } from "../events/scene.ts";
import { SOAK } from "./soak.ts";

Deno.test(`${SOAK.numRuns} histories, all of whose events arrive`, async () => {
  await using stage = await startStage();
  await checkWithoutLoss(stage, SOAK);
});
