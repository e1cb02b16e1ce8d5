import assert from "node:assert/strict";
import { verdictsOf } from "./goals.ts";
import type { WebhookFigures } from "./parts/webhook.ts";
import type { Results } from "./results.ts";

const spread = (median: number) => ({ median, min: median, max: median });
const latency = { p50: 1, p95: 1, p99: 1, max: 1 };

const figures = (contender: string, inFlight: number, perSecond: number, toLean: number): WebhookFigures => ({
  contender,
  inFlight,
  perSecond: spread(perSecond),
  latency,
  serverCpu: 1,
  postgresCpu: 1,
  walBytes: 1,
  events: 1,
  toLean: spread(toLean),
  cpuToLean: 1,
  repeated: 0,
  disturbed: 0,
});

const results = (webhook: WebhookFigures[]): Results => ({
  takenAt: "2026-01-01T00:00:00Z",
  extent: "short",
  machine: { processor: "", cores: 1, memoryGb: 1, os: "", deno: "" },
  postgres: {
    version: "",
    fsync: "on",
    synchronousCommit: "on",
    fullPageWrites: "on",
    walSyncMethod: "",
    sharedBuffers: "",
    fileSystem: "",
  },
  webhook: { figures: webhook, work: {}, faults: [], leftOut: [] },
});

const verdict = (of: Results, what: string) => verdictsOf(of).find((each) => each.what === what)!;

Deno.test("a goal is met at its limit and missed just beyond it", () => {
  const what = "webhook to the lean handler, 16 in flight";
  for (const [value, isMet] of [[0.9, true], [0.899, false]] as const) {
    const found = verdict(results([figures("dues", 16, 100, value)]), what);
    assert.deepEqual([found.value, found.isMet, found.goal], [value, isMet, "≥ 0.9"]);
  }
});

Deno.test("a goal that the run did not measure is not met", () => {
  const all = verdictsOf(results([]));
  assert.ok(all.length > 20);
  for (const { what, value, isMet } of all) assert.deepEqual([value, isMet], [null, false], what);
});

Deno.test("the ratio to a peer is that of events a second", () => {
  const run = results([figures("dues", 64, 300, 1), figures("@better-auth/stripe", 64, 100, 1)]);
  const found = verdict(run, "webhook to @better-auth/stripe, 64 in flight");
  assert.deepEqual([found.value, found.isMet], [3, true]);
  assert.equal(verdict(run, "webhook to @stripe/sync-engine, 64 in flight").value, null);
});
