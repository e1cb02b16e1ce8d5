import assert from "node:assert/strict";
import { Faults } from "./faults.ts";

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
