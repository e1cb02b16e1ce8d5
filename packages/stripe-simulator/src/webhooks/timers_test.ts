import assert from "node:assert/strict";
import { Agenda } from "./timers.ts";

const hour = 3_600_000;

Deno.test("An agenda does in its order what is due when time is made to pass, and nothing else", () => {
  const agenda = new Agenda();
  const done: string[] = [];
  agenda.after(2 * hour, () => done.push("second"));
  agenda.after(hour, () => done.push("first"));
  agenda.after(9 * hour, () => done.push("last"));
  agenda.advance(3 * hour);
  assert.deepEqual(done, ["first", "second"]);
  agenda.advance(6 * hour);
  assert.deepEqual(done, ["first", "second", "last"]);
  assert.equal(agenda.isEmpty, true);
});

Deno.test("An agenda forgets what is taken back", () => {
  const agenda = new Agenda();
  const done: string[] = [];
  const cancel = agenda.after(hour, () => done.push("taken back"));
  cancel();
  agenda.advance(2 * hour);
  assert.deepEqual(done, []);
});

Deno.test("An agenda does its work by itself when its time comes", async () => {
  const agenda = new Agenda();
  await new Promise<void>((resolve) => agenda.after(1, resolve));
  assert.equal(agenda.isEmpty, true);
});
