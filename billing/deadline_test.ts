import assert from "node:assert/strict";
import { Deadline } from "./deadline.ts";

Deno.test("Deadline counts down to 0 and bounds a part of the work", () => {
  const deadline = Deadline.in(10_000);
  assert.ok(deadline.remaining > 9_000 && deadline.remaining <= 10_000);
  assert.equal(deadline.atMost(50), 50);
  assert.equal(Deadline.in(-1).remaining, 0);
  assert.equal(Deadline.in(-1).atMost(50), 0);
});

Deno.test("Deadline.orLate() passes results and errors on, and rejects when the work takes longer", async () => {
  const late = () => new Error("late");
  assert.equal(await Deadline.in(10_000).orLate(Promise.resolve(7), late), 7);
  await assert.rejects(Deadline.in(10_000).orLate(Promise.reject(new Error("own")), late), {
    message: "own",
  });
  await assert.rejects(Deadline.in(5).orLate(new Promise(() => {}), late), { message: "late" });
});
