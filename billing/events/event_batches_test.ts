import assert from "node:assert/strict";
import fc from "fast-check";
import type { Database } from "../db/database.ts";
import { EventBatches } from "./event_batches.ts";
import type { IncomingEvent } from "./read_event.ts";
import type { RecordedEvent } from "./record_events.ts";

const noDatabase = {} as Database;

const event = (id: string, customer_id: string | null = null, object_id: string | null = null) =>
  ({ id, customer_id, object_id }) as IncomingEvent;

const applied = ({ id }: IncomingEvent): RecordedEvent => ({
  id,
  outcome: "applied",
  reason: null,
  question: null,
  opens: false,
});

/** Calls that the test ends one by one. */
class HeldCalls {
  readonly calls: { ids: string[]; end(): void; fail(error: Error): void }[] = [];

  readonly record = (events: IncomingEvent[]): Promise<RecordedEvent[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<RecordedEvent[]>();
    this.calls.push({
      ids: events.map(({ id }) => id),
      end: () => resolve(events.map(applied)),
      fail: reject,
    });
    return promise;
  };

  get ids() {
    return this.calls.map(({ ids }) => ids);
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("EventBatches records the first two events alone, and what arrives meanwhile together", async () => {
  const held = new HeldCalls();
  const batches = new EventBatches(noDatabase, held.record);
  const answers = ["a", "b", "c", "d"].map((id) => batches.record(event(id)));
  assert.deepEqual(held.ids, [["a"], ["b"]]);
  held.calls[0].end();
  await answers[0];
  await turn();
  assert.deepEqual(held.ids, [["a"], ["b"], ["c", "d"]]);
  held.calls[1].end();
  held.calls[2].end();
  assert.deepEqual((await Promise.all(answers)).map(({ id }) => id), ["a", "b", "c", "d"]);
});

Deno.test("EventBatches puts two events of one customer, of one object, or of one id into different calls", async () => {
  const held = new HeldCalls();
  const batches = new EventBatches(noDatabase, held.record);
  const answers = [
    event("first"),
    event("second"),
    event("a", "cus_1", "sub_1"),
    event("b", "cus_1", "in_1"),
    event("c", "cus_2", "sub_1"),
    event("a", "cus_3", "sub_3"),
    event("d", "cus_4", "sub_4"),
  ].map((one) => batches.record(one));
  held.calls[0].end();
  await turn();
  assert.deepEqual(held.ids.slice(2), [["a", "d"]], "what has nothing in common");
  held.calls[1].end();
  await turn();
  assert.equal(held.calls.length, 3, "the others wait for those of their customer, object or id");
  held.calls[2].end();
  await turn();
  assert.deepEqual(held.ids.slice(3), [["b", "c", "a"]]);
  held.calls[3].end();
  await Promise.all(answers);
});

Deno.test("EventBatches records each event by itself when a call fails, and rejects only the one that fails again", async () => {
  const failing = new Error("division by zero");
  const record = (events: IncomingEvent[]) =>
    events.some(({ id }) => id === "bad") ? Promise.reject(failing) : Promise.resolve(events.map(applied));
  const batches = new EventBatches(noDatabase, record);
  const results = await Promise.allSettled(["a", "b", "bad", "c"].map((id) => batches.record(event(id))));
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assert.equal((results[2] as PromiseRejectedResult).reason, failing);
  assert.equal((await batches.record(event("later"))).id, "later");
});

Deno.test("EventBatches begins another call when those under way are slow, without their customers", async () => {
  const held = new HeldCalls();
  const batches = new EventBatches(noDatabase, held.record);
  const answers = [
    event("slow", "cus_1"),
    event("slower", "cus_2"),
    event("same", "cus_1"),
    event("other", "cus_3"),
  ]
    .map((one) => batches.record(one));
  while (held.calls.length < 3) await turn();
  assert.deepEqual(held.ids, [["slow"], ["slower"], ["other"]]);
  held.calls[2].end();
  await answers[3];
  held.calls[0].end();
  await answers[0];
  await turn();
  held.calls[3].end();
  assert.equal((await answers[2]).id, "same");
  held.calls[1].end();
  await answers[1];
});

Deno.test("EventBatches records every event exactly once, whatever arrives together", async () => {
  const arrivals = fc.array(
    fc.record({ customer: fc.constantFrom(null, "cus_1", "cus_2", "cus_3"), pause: fc.boolean() }),
    { maxLength: 200 },
  );
  await fc.assert(
    fc.asyncProperty(arrivals, async (arrivals) => {
      const recorded: string[] = [];
      const batches = new EventBatches(noDatabase, async (events) => {
        const customers = events.map(({ customer_id }) => customer_id).filter((id) => id !== null);
        assert.equal(new Set(customers).size, customers.length);
        await turn();
        recorded.push(...events.map(({ id }) => id));
        return events.map(applied);
      });
      const answers: Promise<RecordedEvent>[] = [];
      for (const [place, { customer, pause }] of arrivals.entries()) {
        answers.push(batches.record(event(`evt_${place}`, customer)));
        if (pause) await turn();
      }
      const ids = (await Promise.all(answers)).map(({ id }) => id);
      assert.deepEqual(ids, arrivals.map((_, place) => `evt_${place}`));
      assert.deepEqual(recorded.toSorted(), ids.toSorted());
    }),
    { numRuns: 30 },
  );
});
