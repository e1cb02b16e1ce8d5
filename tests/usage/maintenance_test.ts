import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { requireQuota } from "../../billing/quota/quota.ts";
import { maintainUsage } from "../../billing/usage/usage_maintenance.ts";
import { sessionOf, startQuotaRig } from "../quota/rig.ts";

Deno.test("maintainUsage finds wrong counters, and rebuilds them with rebuild, while another community uses the feature", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", "ai_chat_message", 1_000_000);
  for (const id of ["garden", "chess"]) {
    await rig.addCommunity(id);
    await requireQuota(rig, sessionOf(id), "ai_chat_message", { quantity: 7 });
  }
  const right = await maintainUsage(rig.operator, { rebuild: true });
  assert.deepEqual(right.wrongCounters, []);
  assert.deepEqual(
    [right.created, right.dropped, right.postponed],
    [[], [], []],
    "the migrations created the months ahead",
  );

  await rig.operator`update public.usage_counters set quantity = 9 where community_id = 'garden'`;
  let isUsing = true;
  const user = (async () => {
    while (isUsing) await requireQuota(rig, sessionOf("chess"), "ai_chat_message");
  })();
  const found = await maintainUsage(rig.operator, { rebuild: false });
  assert.deepEqual(
    found.wrongCounters.map(({ communityId, counted, inEvents }) => [communityId, counted, inEvents]),
    [["garden", 9, 7]],
  );
  assert.equal((await maintainUsage(rig.operator, { rebuild: true })).wrongCounters.length, 1);
  assert.deepEqual((await maintainUsage(rig.operator, { rebuild: false })).wrongCounters, []);
  isUsing = false;
  await user;
});

/** Sets the database's clock of usage, for all connections. */
async function setClock(operator: Pool, now: string) {
  await operator.script(`
    create or replace function billing.clock() returns timestamptz language plpgsql volatile set search_path = ''
    as $$ begin return '${now}'::timestamptz; end $$`);
}

const months = async (operator: Pool): Promise<string[]> =>
  (await operator`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'public.usage_events'::regclass
    order by 1`).map(({ name }) => name.replace("billing.usage_events_", ""));

/** Uses the feature one call after the other, until `work` is done. Resolves to the longest call, in milliseconds. */
async function longestUse(
  rig: Awaited<ReturnType<typeof startQuotaRig>>,
  work: Promise<unknown>,
): Promise<number> {
  let isUsing = true;
  const using = (async () => {
    let longest = 0;
    while (isUsing) {
      const begun = performance.now();
      await requireQuota(rig, sessionOf("garden"), "ai_chat_message");
      longest = Math.max(longest, performance.now() - begun);
    }
    return longest;
  })();
  await work;
  isUsing = false;
  return await using;
}

Deno.test("maintain_usage creates the months ahead beside a large default partition that is in use, and no use waits", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", "ai_chat_message", 1_000_000);
  await rig.addCommunity("garden");
  // Nobody ran the maintenance for months.
  await setClock(rig.operator, "2031-05-20T12:00:00Z");
  await rig.operator`
    insert into public.usage_events (community_id, feature, user_id, quantity, occurred_at)
    select 'chess-' || n, 'ai_chat_message', 'ann', 1, timestamptz '2031-04-01Z' + make_interval(secs => n)
    from generate_series(1, 200000) as n`;
  const maintaining = rig.operator`call billing.maintain_usage()`;
  const longest = await longestUse(rig, maintaining);
  const [{ p_report: report }] = await maintaining;
  assert.deepEqual([report.created, report.postponed], [["2031-06", "2031-07"], ["2031-05"]]);
  assert.ok((await months(rig.operator)).includes("2031_06"));
  assert.ok(longest < 1_000, `a use took ${longest} ms`);
  const [{ constraints }] = await rig.operator`
    select count(*)::int as constraints from pg_constraint where conname = 'usage_events_default_other_months'`;
  assert.equal(constraints, 0, "the default partition takes every month again");
  assert.deepEqual([...await rig.operator`select * from billing.check_usage_counters('garden')`], []);
});

Deno.test("maintain_usage drops old months and deletes what belongs to them in batches, and no use waits", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", "ai_chat_message", 1_000_000);
  await rig.addCommunity("garden");
  await setClock(rig.operator, "2030-01-10T12:00:00Z");
  await rig.operator`call billing.maintain_usage()`;
  await rig.operator`
    insert into public.usage_events (community_id, feature, user_id, quantity, occurred_at, idempotency_key)
    select 'chess', 'ai_chat_message', 'ann', 1, timestamptz '2030-01-01Z' + make_interval(secs => n), 'key-' || n
    from generate_series(1, 9000) as n`;
  await rig.operator`
    insert into billing.usage_keys (community_id, feature, idempotency_key, usage_event_id, occurred_at, quantity)
    select community_id, feature, idempotency_key, id, occurred_at, quantity from public.usage_events
    where idempotency_key is not null`;
  await setClock(rig.operator, "2031-03-01T12:00:00Z");
  const maintaining = rig.operator`call billing.maintain_usage()`;
  const longest = await longestUse(rig, maintaining);
  const [{ p_report: report }] = await maintaining;
  assert.deepEqual([report.dropped[0], report.is_complete], ["2030-01", true]);
  assert.equal(new Date(report.kept_since).toISOString(), "2030-02-01T00:00:00.000Z");
  assert.ok(!(await months(rig.operator)).includes("2030_01"));
  const [{ keys }] = await rig.operator`select count(*)::int as keys from billing.usage_keys`;
  assert.equal(keys, 0);
  assert.ok(longest < 1_000, `a use took ${longest} ms`);
});

Deno.test("maintain_usage gives up a month that a long reader holds, lets uses pass, and drops it the next time", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", "ai_chat_message", 1_000_000);
  await rig.addCommunity("garden");
  await setClock(rig.operator, "2030-01-10T12:00:00Z");
  await rig.operator`call billing.maintain_usage()`;
  await setClock(rig.operator, "2031-03-01T12:00:00Z");
  const reader = Promise.withResolvers<void>();
  const reading = rig.operator.begin(async (transaction) => {
    await transaction`select count(*) from public.usage_events`;
    await reader.promise;
  });
  const maintaining = rig.operator`call billing.maintain_usage()`;
  const longest = await longestUse(rig, maintaining);
  const [{ p_report: report }] = await maintaining;
  assert.ok(!report.dropped.includes("2030-01") && report.postponed.includes("2030-01"));
  assert.ok(longest < 1_000, `a use took ${longest} ms`);
  reader.resolve();
  await reading;
  const [{ p_report: next }] = await rig.operator`call billing.maintain_usage()`;
  assert.ok(next.dropped.includes("2030-01"));
});

Deno.test("maintain_usage twice at once creates each month once", async () => {
  await using rig = await startQuotaRig();
  await setClock(rig.operator, "2035-01-10T12:00:00Z");
  const maintain = () => rig.operator`call billing.maintain_usage()`;
  const reports = await Promise.all([1, 2, 3].map(maintain));
  // On a slow machine a run may not get its lock in time, and leaves a month to the next one.
  reports.push(await maintain());
  const created = reports.flatMap(([{ p_report }]) => p_report.created).sort();
  assert.deepEqual(created, ["2035-01", "2035-02", "2035-03"]);
  assert.deepEqual(reports.at(-1)![0].p_report.postponed, []);
});
