// Invalid calls, refused batches, and a database clock that differs from the server's.
import assert from "node:assert/strict";
import { BillingError } from "../../billing/errors.ts";
import {
  type QuotaOptions,
  releaseQuota,
  requireQuota,
  requireQuotaBatch,
} from "../../billing/quota/quota.ts";
import type { Feature } from "../../billing/quota/guarded_features.ts";
import { enforceResourceLimit } from "../../billing/quota/resource_limits.ts";
import { sessionOf, startQuotaRig, unitsUsed } from "./rig.ts";

const FEATURE = "ai_chat_message";

Deno.test("requireQuota, requireQuotaBatch and enforceResourceLimit refuse invalid calls by code and use nothing", async (test) => {
  await using rig = await startQuotaRig();
  await rig.addCommunity("garden");
  await rig.operator`insert into public.features (code, name, unit) values ('orphan', 'Orphan', 'thing')`;
  await requireQuota(rig, sessionOf("garden"), FEATURE, { idempotencyKey: "known" });

  const rows: [name: string, feature: string, options: QuotaOptions, code: string, community?: string][] = [
    ["zero", FEATURE, { quantity: 0 }, "invalid_quantity"],
    ["a negative number", FEATURE, { quantity: -5 }, "invalid_quantity"],
    ["a fraction", FEATURE, { quantity: 0.5 }, "invalid_quantity"],
    ["not a number", FEATURE, { quantity: NaN }, "invalid_quantity"],
    ["more than a safe integer", FEATURE, { quantity: 2 ** 53 }, "invalid_quantity"],
    ["more than any quota", FEATURE, { quantity: Number.MAX_SAFE_INTEGER }, "quota_exceeded"],
    ["an unknown feature", "nothing", {}, "quota_not_configured"],
    ["a feature without a limit", "orphan", {}, "quota_not_configured"],
    ["a resource instead of a feature", "active_wizard", {}, "quota_not_configured"],
    ["SQL as the name of a feature", "'; drop table plans; --", {}, "quota_not_configured"],
    ["an unknown community", FEATURE, {}, "unknown_community", "nobody"],
    ["an empty key", FEATURE, { idempotencyKey: "" }, "invalid_idempotency_key"],
    [
      "a key that was used with another quantity",
      FEATURE,
      { idempotencyKey: "known", quantity: 2 },
      "idempotency_key_reused",
    ],
  ];
  for (const [name, feature, options, code, community = "garden"] of rows) {
    await test.step(name, async () => {
      await assert.rejects(requireQuota(rig, sessionOf(community), feature as Feature, options), { code });
      const uses = [{ feature: FEATURE as Feature }, { feature: feature as Feature, ...options }];
      await assert.rejects(requireQuotaBatch(rig, sessionOf(community), uses), { code });
    });
  }
  await assert.rejects(
    enforceResourceLimit(rig, sessionOf("garden"), FEATURE as "active_wizard", "w"),
    { code: "quota_not_configured" },
  );
  for (const id of ["", "x".repeat(256), "a\0b"]) {
    await assert.rejects(
      enforceResourceLimit(rig, sessionOf("garden"), "active_wizard", id),
      { code: "invalid_resource_id" },
    );
  }
  for (const leaseSeconds of [0, -1, NaN, Infinity]) {
    await assert.rejects(
      enforceResourceLimit(rig, sessionOf("garden"), "active_wizard", "w", { leaseSeconds }),
      RangeError,
    );
  }
  assert.equal(await unitsUsed(rig), 1);
});

Deno.test("requireQuotaBatch reports the index of the refused use, and each use of a batch can be released", async () => {
  await using rig = await startQuotaRig();
  await rig.setLimit("free", FEATURE, 5);
  await rig.addCommunity("garden");
  await assert.rejects(
    requireQuotaBatch(rig, sessionOf("garden"), [
      { feature: FEATURE, quantity: 3 },
      { feature: FEATURE, quantity: 3 },
    ]),
    (error) => {
      assert.ok(error instanceof BillingError);
      assert.deepEqual([error.code, error.members.index, error.members.used], ["quota_exceeded", 1, 3]);
      return true;
    },
  );
  const uses = await requireQuotaBatch(rig, sessionOf("garden"), [
    { feature: FEATURE, quantity: 3 },
    { feature: FEATURE, quantity: 2 },
  ]);
  assert.deepEqual(uses.map(({ quantity }) => quantity), [3, 2]);
  assert.equal(await uses[0].release(), 3);
  await assert.rejects(uses[1].release(0), { code: "invalid_quantity" });
  const other = sessionOf("chess");
  assert.equal(
    await releaseQuota(rig, other, FEATURE, uses[1].usageEvent),
    0,
    "the use belongs to another community",
  );
  assert.equal(await releaseQuota(rig, sessionOf("garden"), FEATURE, uses[1].usageEvent), 2);
  assert.deepEqual(await requireQuotaBatch(rig, sessionOf("garden"), []), []);
});

for (const [name, moment] of [["behind", "2001-02-03T04:05:06Z"], ["ahead", "2099-12-31T23:59:59Z"]]) {
  Deno.test(`requireQuota uses the database's clock for resetsAt and Retry-After when it is far ${name}`, async () => {
    await using rig = await startQuotaRig();
    await rig.setLimit("free", FEATURE, 1);
    await rig.addCommunity("garden");
    await rig.stopClockAt(new Date(moment));
    const use = await requireQuota(rig, sessionOf("garden"), FEATURE);
    assert.ok(use.limits[0].secondsToReset > 30 * 86400 && use.limits[0].secondsToReset <= 30.3 * 86400);

    await assert.rejects(requireQuota(rig, sessionOf("garden"), FEATURE), (error) => {
      assert.ok(error instanceof BillingError);
      const wait = Number(error.retryAfterSeconds);
      assert.equal(wait, use.limits[0].secondsToReset);
      assert.equal(
        Date.parse(error.members.resetsAt as string),
        Math.ceil(Date.parse(moment) / 1000 + wait) * 1000,
      );
      return true;
    });
    assert.equal(await use.release(), 1, "the use is found by its time");
    await requireQuota(rig, sessionOf("garden"), FEATURE);
  });
}
