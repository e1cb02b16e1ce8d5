import assert from "node:assert/strict";
import { Timers } from "./timers.ts";

const hour = 3_600_000;

Deno.test("An timers does in its order what is due when time is made to pass, and nothing else", () => {
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

Deno.test("An timers forgets what is taken back", () => {
  const timers = new Timers();
  const done: string[] = [];
  const cancel = timers.after(hour, () => done.push("taken back"));
  cancel();
  timers.advance(2 * hour);
  assert.deepEqual(done, []);
});

Deno.test("An timers does its work by itself when its time comes", async () => {
  const timers = new Timers();
  await new Promise<void>((resolve) => timers.after(1, resolve));
  assert.equal(timers.isEmpty, true);
});
