import assert from "node:assert/strict";
import { Timers } from "./timers.ts";

const hour = 3_600_000;

Deno.test("Timers.advance() runs in order the callbacks that are due, and no others", () => {
  const timers = new Timers();
  const done: string[] = [];
  timers.after(2 * hour, () => done.push("second"));
  timers.after(hour, () => done.push("first"));
  timers.after(9 * hour, () => done.push("last"));
  timers.advance(3 * hour);
  assert.deepEqual(done, ["first", "second"]);
  timers.advance(6 * hour);
  assert.deepEqual(done, ["first", "second", "last"]);
  assert.equal(timers.isEmpty, true);
});

Deno.test("Timers do not run a canceled callback", () => {
  const timers = new Timers();
  const done: string[] = [];
  const cancel = timers.after(hour, () => done.push("canceled"));
  cancel();
  timers.advance(2 * hour);
  assert.deepEqual(done, []);
});

Deno.test("Timers run a callback when its time comes", async () => {
  const timers = new Timers();
  await new Promise<void>((resolve) => timers.after(1, resolve));
  assert.equal(timers.isEmpty, true);
});
