import assert from "node:assert/strict";
import { requireQuota } from "../../billing/quota/quota.ts";
import { maintainUsage } from "../../billing/usage/usage_maintenance.ts";
import { sessionOf, startQuotaRig } from "../quota/rig.ts";

Deno.test("the upkeep finds counters that are wrong, and makes them anew when told to, while usage goes on", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", "ai_chat_message", 1_000_000);
  for (const id of ["garden", "chess"]) {
    await rig.addCommunity(id);
    await requireQuota(rig, sessionOf(id), "ai_chat_message", { quantity: 7 });
  }
  const right = await maintainUsage(rig.operator, { rebuild: true });
  assert.deepEqual(right.wrongCounters, []);
  assert.deepEqual([right.created, right.dropped], [[], []], "the migrations have made the months ahead");

  await rig.operator`update public.usage_counters set quantity = 9 where community_id = 'garden'`;
  let using = true;
  const user = (async () => {
    while (using) await requireQuota(rig, sessionOf("chess"), "ai_chat_message");
  })();
  const found = await maintainUsage(rig.operator, { rebuild: false });
  assert.deepEqual(
    found.wrongCounters.map(({ communityId, counted, inEvents }) => [communityId, counted, inEvents]),
    [["garden", 9, 7]],
  );
  assert.equal((await maintainUsage(rig.operator, { rebuild: true })).wrongCounters.length, 1);
  assert.deepEqual((await maintainUsage(rig.operator, { rebuild: false })).wrongCounters, []);
  using = false;
  await user;
});
