import assert from "node:assert/strict";
import { runOperatorTask } from "../support/operator_task.ts";
import {
  addPayingCommunity,
  consume,
  METER,
  refusal,
  report,
  reports,
  startScriptedStripe,
  startUsageRig,
} from "./rig.ts";

const hour = (nth: number) => new Date(Date.parse("2026-11-20T00:30:00Z") + nth * 3_600_000);

/** Community garden with a report of five units that Stripe refused. The clock is two hours after its use. */
async function refused() {
  const rig = await startUsageRig();
  await addPayingCommunity(rig, "garden");
  await consume(rig, "garden", 5, hour(0));
  await rig.stopClockAt(hour(2));
  await using stripe = startScriptedStripe(() =>
    refusal(400, { code: "resource_missing", message: "No such customer" })
  );
  await report(rig, stripe.stripe);
  const [{ identifier, state }] = await reports(rig);
  assert.equal(state, "refused");
  return {
    rig,
    identifier,
    resend: async (which: string) => {
      const [{ outcome }] = await rig.operator`select billing.resend_usage_report(${which}) as outcome`;
      return outcome;
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

Deno.test("resend_usage_report puts refused units into a new report for the current customer, which Stripe gets once", async () => {
  await using it = await refused();
  await consume(it.rig, "garden", 2, hour(2));
  await it.rig.operator`update public.communities set stripe_customer_id = 'cus_new' where id = 'garden'`;
  assert.deepEqual([await it.resend(it.identifier), await it.resend(it.identifier)], [
    "resent",
    "not_refused",
  ]);
  await it.rig.stopClockAt(hour(4));
  await using stripe = startScriptedStripe();
  await report(it.rig, stripe.stripe);
  assert.deepEqual(
    stripe.received.map(({ event_name, customer, value }) => [event_name, customer, value]).sort(),
    [[METER, "cus_garden", "2"], [METER, "cus_new", "5"]],
  );
  assert.ok(stripe.received.every(({ identifier }) => identifier !== it.identifier));
  const [{ units }] = await it.rig
    .operator`select sum(quantity)::integer as units from billing.usage_reports`;
  assert.equal(units, 7, "no unit is lost or billed twice");
});

Deno.test("resend_usage_report resends once when eight callers resend the same report", async () => {
  await using it = await refused();
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => it.resend(it.identifier)));
  assert.equal(outcomes.filter((outcome) => outcome === "resent").length, 1);
  const [{ units }] = await it.rig
    .operator`select sum(quantity)::integer as units from billing.usage_reports`;
  assert.equal(units, 5);
});

Deno.test("resend_usage_report answers unknown, not_refused or no_customer and changes nothing", async () => {
  await using it = await refused();
  assert.equal(await it.resend("dues_of_nobody"), "unknown");
  await consume(it.rig, "garden", 1, hour(3));
  assert.equal(await it.resend((await reports(it.rig))[1].identifier), "not_refused");
  await it.rig.operator`update public.communities set stripe_customer_id = null`;
  assert.equal(await it.resend(it.identifier), "no_customer");
  assert.deepEqual((await reports(it.rig)).map(({ state }) => state), ["refused", "open"]);
});

Deno.test("deno task usage:resend lists refused reports, and resends those that are named or all", async () => {
  await using it = await refused();
  const run = (...args: string[]) =>
    runOperatorTask(
      { databaseUrl: it.rig.database.url("postgres"), stripeUrl: "http://127.0.0.1:1" },
      "usage_resend.ts",
      args,
    );
  const list = await run();
  assert.ok(list.success, list.err);
  assert.match(list.out, RegExp(`garden.*image.*5.*refused.*No such customer.*${it.identifier}`));

  const resent = await run("--all");
  assert.deepEqual([resent.success, resent.out], [true, `${it.identifier}: resent\n`]);
  assert.equal((await run()).out, "Stripe has refused nothing.\n");

  const again = await run(it.identifier);
  assert.deepEqual(
    [again.success, again.out],
    [false, `${it.identifier}: not resent: it was not refused, or was resent before\n`],
  );
});
