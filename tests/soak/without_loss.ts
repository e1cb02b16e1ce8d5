// A failure prints its seed and path. With these as its parameters, tests/events/histories_test.ts repeats it.
import { checkWithoutLoss } from "../events/histories.ts";
import { startStage } from "../events/scene.ts";
import { SOAK } from "./soak.ts";

Deno.test(`${SOAK.numRuns} random histories in which all events are delivered`, async () => {
  await using stage = await startStage();
  await checkWithoutLoss(stage, SOAK);
});
