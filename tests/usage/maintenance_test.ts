import assert from "node:assert/strict";
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
  assert.deepEqual([right.created, right.dropped], [[], []], "the migrations created the months ahead");

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
