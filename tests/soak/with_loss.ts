// A failure prints its seed and path, with which tests/events/histories_test.ts repeats it.
import { checkWithLoss } from "../events/histories.ts";
import { startStage } from "../events/scene.ts";
import { SOAK } from "./soak.ts";

Deno.test(`${SOAK.numRuns} histories, some events of which are lost`, async () => {
  await using stage = await startStage();
  await checkWithLoss(stage, SOAK);
});
