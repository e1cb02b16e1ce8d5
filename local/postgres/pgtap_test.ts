import assert from "node:assert/strict";
import { judge } from "./pgtap.ts";

const cases = [
  ["passes when all pass", ["1..2", "ok 1 - a", "ok 2 - b"], { passed: 2, failed: 0, complaints: [] }],
  [
    "tells what failed, with its diagnosis",
    ["1..2", "ok 1 - a", "not ok 2 - b", '# Failed test 2: "b"', "#   have: 1", "row of a query"],
    { passed: 1, failed: 1, complaints: ["not ok 2 - b", '# Failed test 2: "b"', "#   have: 1"] },
  ],
  ["lets a failure pass that is expected", ["1..1", "not ok 1 - a # TODO later"], {
    passed: 1,
    failed: 0,
    complaints: [],
  }],
  [
    "fails when tests were not reached",
    ["1..3", "ok 1 - a"],
    { passed: 1, failed: 1, complaints: ["The file plans 3 tests and runs 1."] },
  ],
  ["fails without a plan", ["ok 1 - a"], { passed: 1, failed: 1, complaints: ["The file says no plan."] }],
  ["fails when nothing ran", [], { passed: 0, failed: 1, complaints: ["The file says no plan."] }],
] as const;

for (const [what, lines, expected] of cases) {
  Deno.test(`a pgTAP file ${what}`, () => {
    assert.deepEqual(judge("x_test.sql", [...lines]), { file: "x_test.sql", ...expected });
  });
}
