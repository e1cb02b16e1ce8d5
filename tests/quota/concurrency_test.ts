// Many callers at once on a real database: exactly as many units are used as the quota allows.
import assert from "node:assert/strict";
import { BillingError } from "../../billing/errors.ts";
import { type QuotaUse, requireQuota, requireQuotaBatch } from "../../billing/quota/quota.ts";
import { enforceResourceLimit } from "../../billing/quota/resource_limits.ts";
import { sessionOf, startQuotaRig, unitsUsed, wrongCounters } from "./rig.ts";

const CALLERS = 200;
const FEATURE = "ai_chat_message";

/** How many of these calls are allowed. Every other call must be refused with quota_exceeded. */
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

Deno.test("requireQuota lets exactly 10 of 200 callers pass when 10 units are left", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.setLimit("free", FEATURE, 100);
  await rig.setLimit("free", FEATURE, 1000, "1 hour");
  await rig.addCommunity("hot");
  const session = sessionOf("hot");
  await requireQuota(rig, session, FEATURE, { quantity: 90 });

  assert.equal(await countPassed(callers(() => requireQuota(rig, session, FEATURE))), 10);
  assert.equal(await unitsUsed(rig, "hot"), 100);
  assert.deepEqual(await wrongCounters(rig), []);
});

Deno.test("requireQuota counts each of 20 communities by itself: 5 of 10 callers of each pass when the quota is 5", async () => {
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

Deno.test("requireQuota uses one unit for 200 callers with the same idempotency key", async () => {
  await using rig = await startQuotaRig({ connections: 50 });
  await rig.addCommunity("hot");
  const uses = await Promise.all(
    callers(() => requireQuota(rig, sessionOf("hot"), FEATURE, { idempotencyKey: "the one" })),
  );
  assert.equal(uses.filter(({ repeated }) => !repeated).length, 1);
  const [{ count }] = await rig.operator`select count(*)::int as count from public.usage_events`;
  assert.equal(count, 1);
});

Deno.test("requireQuota and release stay within the quota and lose no unit when 30 callers use and give back at once", async () => {
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

Deno.test("requireQuotaBatch does not deadlock when batches name the same features in opposite orders", async () => {
  await using rig = await startQuotaRig({ connections: 20 });
  await rig.operator`insert into public.features (code, name, unit) values ('image', 'Images', 'image')`;
  await rig.setLimit("free", FEATURE, 60);
  await rig.setLimit("free", "image", 60);
  await rig.addCommunity("hot");
  // The feature image exists only in this database, so its name is cast.
  const uses: QuotaUse[] = [{ feature: FEATURE }, { feature: "image" as typeof FEATURE }];
  const calls = callers((i) => requireQuotaBatch(rig, sessionOf("hot"), i % 2 ? uses : uses.toReversed()));
  assert.equal(await countPassed(calls), 60);
});

Deno.test("enforceResourceLimit lets exactly 10 of 200 callers acquire when 10 of the quota are left", async () => {
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
