// A failure prints its seed and path. With these as its parameters, tests/events/histories_test.ts repeats it.
import { checkWithLoss } from "../events/histories.ts";
import { startStage } from "../events/scene.ts";
import { SOAK } from "./soak.ts";

Deno.test(`${SOAK.numRuns} random histories in which events are lost`, async () => {
  await using stage = await startStage();
  await checkWithLoss(stage, SOAK);
});
