import assert from "node:assert/strict";
import { faultsOf } from "./work.ts";

Deno.test("faultsOf() accepts a contender that applied every event", () => {
  assert.deepEqual(faultsOf("lean", { accepted: 10, outcomes: { applied: 10 }, wrongStates: 0 }), []);
  assert.deepEqual(
    faultsOf("lean", { accepted: 10, outcomes: { applied: 10, stale: 0 }, wrongStates: 0 }),
    [],
  );
});

for (const outcome of ["stale", "duplicate", "parked", "pending", "failed", "whatever"]) {
  Deno.test(`faultsOf() finds events that are ${outcome} instead of applied`, () => {
    const faults = faultsOf("lean", { accepted: 10, outcomes: { applied: 9, [outcome]: 1 }, wrongStates: 0 });
    assert.match(faults.join("\n"), RegExp(`lean: 1 events were ${outcome} instead of applied`));
  });
}

Deno.test("faultsOf() does not accept a contender that was sent nothing", () => {
  assert.deepEqual(faultsOf("lean", { accepted: 0, outcomes: {}, wrongStates: 0 }), [
    "lean: no event was accepted.",
  ]);
});

Deno.test("faultsOf() finds events that were accepted and left no trace, and work that nobody asked for", () => {
  assert.equal(faultsOf("lean", { accepted: 10, outcomes: { applied: 9 }, wrongStates: 0 }).length, 1);
  assert.equal(faultsOf("lean", { accepted: 10, outcomes: { applied: 11 }, wrongStates: 0 }).length, 1);
  assert.equal(faultsOf("lean", { accepted: 10, outcomes: {}, wrongStates: 0 }).length, 1);
});

Deno.test("faultsOf() finds subscriptions that are not in the state of their newest event", () => {
  const faults = faultsOf("lean", { accepted: 10, outcomes: { applied: 10 }, wrongStates: 2 });
  assert.deepEqual(faults, ["lean: 2 subscriptions are not in the state of their newest event."]);
});
