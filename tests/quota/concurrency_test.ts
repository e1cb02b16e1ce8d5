// Many at once on a real database: never a unit over the limit, and never one fewer than there is.
import assert from "node:assert/strict";
import { BillingError } from "../../billing/errors.ts";
import { type QuotaUse, requireQuota, requireQuotaBatch } from "../../billing/quota/quota.ts";
import { enforceResourceLimit } from "../../billing/quota/resource_limits.ts";
import { sessionOf, startQuotaRig } from "./rig.ts";

const CALLERS = 200;
const FEATURE = "ai_chat_message";

/** How many of these calls are let through; every other one has to be refused for the limit. */
async function countPassed(calls: Promise<unknown>[]): Promise<number> {
  const results = await Promise.allSettled(calls);
  const refused = results.filter((result) => result.status === "rejected").map(({ reason }) => reason);
  for (const error of refused) {
    assert.ok(error instanceof BillingError, String(error));
    assert.equal(error.code, "quota_exceeded");
  }
  return results.length - refused.length;
}

const callers = <T>(call: (caller: number) => Promise<T>) =>
  Array.from({ length: CALLERS }, (_, i) => call(i));

Deno.test("of 200 callers at ten below the limit of one community exactly ten pass", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.setLimit("free", FEATURE, 100);
  await rig.setLimit("free", FEATURE, 1000, "1 hour");
  await rig.addCommunity("hot");
  const session = sessionOf("hot");
  await requireQuota(rig, session, FEATURE, { quantity: 90 });

  assert.equal(await countPassed(callers(() => requireQuota(rig, session, FEATURE))), 10);
  const [{ used }] = await rig.operator`
    select sum(quantity)::int as used from public.usage_events where community_id = 'hot'`;
  assert.equal(used, 100);
  assert.deepEqual([...await rig.operator`select * from billing.check_usage_counters()`], []);
});

Deno.test("of 200 callers of 20 communities, each at its own limit, exactly ten of each pass", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.setLimit("free", FEATURE, 5);
  const sessions = Array.from({ length: 20 }, (_, i) => sessionOf(`community-${i}`));
  for (const { communityId } of sessions) await rig.addCommunity(communityId);
  const calls = callers((i) => requireQuota(rig, sessions[i % sessions.length], FEATURE));
  assert.equal(await countPassed(calls), 100);
  const rows = await rig.operator`
    select distinct sum(quantity)::int as used from public.usage_events group by community_id`;
  assert.deepEqual(rows.map(({ used }) => used), [5]);
});

Deno.test("200 callers with one idempotency key use one unit, whichever comes first", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.addCommunity("hot");
  const uses = await Promise.all(
    callers(() => requireQuota(rig, sessionOf("hot"), FEATURE, { idempotencyKey: "the one" })),
  );
  assert.equal(uses.filter(({ repeated }) => !repeated).length, 1);
  const [{ count }] = await rig.operator`select count(*)::int as count from public.usage_events`;
  assert.equal(count, 1);
});

Deno.test("while callers use and give back at random, no moment is over the limit and nothing is lost", async () => {
  await using rig = await startQuotaRig({ connections: 30 });
  await rig.setLimit("free", FEATURE, 20);
  await rig.addCommunity("hot");
  let highest = 0;
  const worker = async (number: number) => {
    for (let round = 0; round < 10; round++) {
      const use = await requireQuota(rig, sessionOf("hot"), FEATURE, { quantity: 1 + (number + round) % 4 })
        .catch((error) => error.code === "quota_exceeded" ? null : Promise.reject(error));
      if (!use) continue;
      highest = Math.max(highest, ...use.limits.map(({ used }) => used));
      assert.equal(await use.release(), use.quantity);
    }
  };
  await Promise.all(Array.from({ length: 30 }, (_, number) => worker(number)));
  assert.ok(highest > 1 && highest <= 20, `${highest}`);
  assert.deepEqual(
    [...await rig.operator`select distinct quantity::int as left from public.usage_counters`],
    [{ left: 0 }],
  );
});

Deno.test("batches over the same features in opposite orders do not wait for each other forever", async () => {
  await using rig = await startQuotaRig({ connections: 20 });
  await rig.operator`insert into public.features (code, name, unit) values ('image', 'Images', 'image')`;
  await rig.setLimit("free", FEATURE, 60);
  await rig.setLimit("free", "image", 60);
  await rig.addCommunity("hot");
  // A feature of this database alone, which the plugin does not know.
  const uses: QuotaUse[] = [{ feature: FEATURE }, { feature: "image" as typeof FEATURE }];
  const calls = callers((i) => requireQuotaBatch(rig, sessionOf("hot"), i % 2 ? uses : uses.toReversed()));
  assert.equal(await countPassed(calls), 60);
});

Deno.test("of 200 callers at ten below a resource limit exactly ten get one", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.setLimit("free", "active_wizard", 15, "0");
  await rig.addCommunity("hot");
  const session = sessionOf("hot");
  const take = (id: string) => enforceResourceLimit(rig, session, "active_wizard", id);
  for (let i = 0; i < 5; i++) await take(`before ${i}`);
  assert.equal(await countPassed(callers((i) => take(`wizard ${i}`))), 10);
  const [{ held }] = await rig.operator`select count(*)::int as held from billing.held_resources`;
  assert.equal(held, 15);
});
