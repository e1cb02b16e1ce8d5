import assert from "node:assert/strict";
import { type Fault, Faults } from "./faults.ts";

Deno.test("Faults strike as often as they say and no more", () => {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", next: 2 });
  const strikes = [1, 2, 3].map(() => faults.take("drop_delivery", "invoice.paid") !== undefined);
  assert.deepEqual(strikes, [true, true, false]);
});

Deno.test("Faults strike only their target", () => {
  const faults = new Faults();
  faults.add({ kind: "fail_delivery", target: "customer.subscription.*", next: 1 });
  assert.equal(faults.take("fail_delivery", "customer.updated"), undefined);
  assert.ok(faults.take("fail_delivery", "customer.subscription.updated"));
});

Deno.test("Faults take the dot of a target literally", () => {
  const faults = new Faults();
  faults.add({ kind: "fail_delivery", target: "invoice.paid", next: 1 });
  assert.equal(faults.take("fail_delivery", "invoice-paid"), undefined);
});

Deno.test("Faults of another kind are left alone", () => {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", next: 1 });
  assert.equal(faults.take("duplicate_delivery", "invoice.paid"), undefined);
  assert.equal(faults.list().length, 1);
});

/** Which of a hundred events a fault strikes. */
function strikes(fault: Omit<Extract<Fault, { kind: "drop_delivery" }>, "kind" | "target">): number[] {
  const faults = new Faults();
  faults.add({ kind: "drop_delivery", target: "*", ...fault });
  const hundred = Array.from({ length: 100 }, (_, index) => index);
  return hundred.filter(() => faults.take("drop_delivery", "invoice.paid"));
}

Deno.test("A fault with a probability strikes about that often, and the same seed strikes the same events", () => {
  const struck = strikes({ probability: 0.3, seed: 7 });
  assert.ok(struck.length > 15 && struck.length < 45, `${struck.length} of 100`);
  assert.deepEqual(strikes({ probability: 0.3, seed: 7 }), struck);
  assert.notDeepEqual(strikes({ probability: 0.3, seed: 8 }), struck);
});

Deno.test("A fault with a probability and a count stops when it has struck that often", () => {
  assert.equal(strikes({ probability: 0.5, seed: 1, next: 5 }).length, 5);
});

Deno.test("A fault without count and probability strikes once", () => {
  assert.deepEqual(strikes({}), [0]);
});
