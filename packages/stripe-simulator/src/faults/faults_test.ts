import assert from "node:assert/strict";
import { type Fault, Faults } from "./faults.ts";

Deno.test("Faults.take() returns a fault as often as its next says", () => {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", next: 2 });
  const strikes = [1, 2, 3].map(() => faults.take("drop_delivery", "invoice.paid") !== undefined);
  assert.deepEqual(strikes, [true, true, false]);
});

Deno.test("Faults.take() returns a fault only for its target", () => {
  const faults = new Faults();
  faults.add({ kind: "fail_delivery", target: "customer.subscription.*", next: 1 });
  assert.equal(faults.take("fail_delivery", "customer.updated"), undefined);
  assert.ok(faults.take("fail_delivery", "customer.subscription.updated"));
});

Deno.test("Faults.take() takes the dot of a target literally", () => {
  const faults = new Faults();
  faults.add({ kind: "fail_delivery", target: "invoice.paid", next: 1 });
  assert.equal(faults.take("fail_delivery", "invoice-paid"), undefined);
});

Deno.test("Faults.take() leaves faults of another kind alone", () => {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", next: 1 });
  assert.equal(faults.take("duplicate_delivery", "invoice.paid"), undefined);
  assert.equal(faults.list().length, 1);
});

/** Which of a hundred events the fault applies to. */
function strikesOf(fault: Omit<Extract<Fault, { kind: "drop_delivery" }>, "kind" | "target">): number[] {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", ...fault });
  const hundred = Array.from({ length: 100 }, (_, index) => index);
  return hundred.filter(() => faults.take("drop_delivery", "invoice.paid"));
}

Deno.test("Faults.take() follows a probability and makes the same choices with the same seed", () => {
  const struck = strikesOf({ probability: 0.3, seed: 7 });
  assert.ok(struck.length > 15 && struck.length < 45, `${struck.length} of 100`);
  assert.deepEqual(strikesOf({ probability: 0.3, seed: 7 }), struck);
  assert.notDeepEqual(strikesOf({ probability: 0.3, seed: 8 }), struck);
});

Deno.test("Faults.take() stops at next when a probability is given too", () => {
  assert.equal(strikesOf({ probability: 0.5, seed: 1, next: 5 }).length, 5);
});

Deno.test("Faults.take() returns a fault once when neither next nor probability is given", () => {
  assert.deepEqual(strikesOf({}), [0]);
});
