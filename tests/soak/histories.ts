/**
 * `deno task test:soak`: a thousand histories and more, other ones each time. A failure prints its seed and path, with
 * which `tests/billing/histories_test.ts` repeats it. Takes up to ten minutes.
 */
import { checkWithLoss, checkWithoutLoss } from "../billing/histories.ts";
import { startStage } from "../billing/scene.ts";

const HISTORIES = 550;

for (const [name, check] of [["none", checkWithoutLoss], ["some", checkWithLoss]] as const) {
  Deno.test(`${HISTORIES} histories, ${name} of whose events are lost`, async () => {
    await using stage = await startStage();
    await check(stage, { numRuns: HISTORIES });
  });
}
