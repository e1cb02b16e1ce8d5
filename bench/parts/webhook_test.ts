// Whether the comparison of webhooks notices a contender that does less work than it is measured by.
import assert from "node:assert/strict";
import { testCluster } from "../../tests/support/database.ts";
import { duesContender, leanContender, type WebhookContender } from "../contenders/webhook_contenders.ts";
import type { EventSeries } from "../load/event_series.ts";
import { LoadProcess } from "../load/load.ts";
import { dropDatabase } from "../measure/durable_postgres.ts";
import { newSeries, WebhookRunner } from "./webhook.ts";

const contenders: Record<string, typeof duesContender> = { dues: duesContender, lean: leanContender };

async function withRunner(
  make: typeof duesContender,
  more: Partial<EventSeries>,
  work: (runner: WebhookRunner, contender: WebhookContender) => Promise<void>,
): Promise<void> {
  const series = { ...await newSeries(5), ...more };
  const cluster = await testCluster();
  const contender = await make(cluster, series);
  try {
    await using load = new LoadProcess();
    await using runner = await WebhookRunner.start(contender, series, load);
    await work(runner, contender);
  } finally {
    await contender.database.sql.close();
    await dropDatabase(cluster, contender.database.name);
  }
}

for (const [name, make] of Object.entries(contenders)) {
  Deno.test(`${name}: events that each are news are all applied, and nothing is at fault`, async () => {
    await withRunner(make, {}, async (runner) => {
      const slice = await runner.slice({ inFlight: 2, count: 20 });
      assert.equal(slice.latencies.length, 20);
      assert.deepEqual(await runner.work(), { accepted: 20, outcomes: { applied: 20 }, wrongStates: 0 });
      assert.deepEqual(await runner.faults(), []);
    });
  });

  Deno.test(`${name}: events that are older than the stored state are answered 200 and are a fault`, async () => {
    await withRunner(make, { step: -1 }, async (runner) => {
      await runner.slice({ inFlight: 1, count: 15 });
      const { accepted, outcomes } = await runner.work();
      assert.equal(accepted, 15);
      assert.deepEqual(outcomes, { applied: 5, stale: 10 });
      const faults = await runner.faults();
      assert.match(faults[0], RegExp(`^${name}: 10 events were stale instead of applied`));
    });
  });

  Deno.test(`${name}: events that it refuses are a fault`, async () => {
    await withRunner(make, {}, async (runner, contender) => {
      contender.secret = "whsec_another";
      await runner.slice({ inFlight: 1, count: 3 });
      const faults = await runner.faults();
      assert.match(faults[0], RegExp(`^${name}: 3 events were refused: 400`));
      assert.ok(faults.includes(`${name}: no event was accepted.`));
    });
  });

  Deno.test(`${name}: a stored state that is not that of the newest event is a fault`, async () => {
    await withRunner(make, {}, async (runner, contender) => {
      await runner.slice({ inFlight: 1, count: 5 });
      const wrong = new Map(await contender.prices()).set("000003", "price_other");
      contender.prices = () => Promise.resolve(wrong);
      assert.deepEqual(await runner.faults(), [
        `${name}: 1 subscriptions are not in the state of their newest event.`,
      ]);
    });
  });
}
