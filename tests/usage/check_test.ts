// checkUsage: usage that Stripe accepted and later refused, or that its meter counts differently.
import assert from "node:assert/strict";
import { checkUsage } from "../../billing/usage/meter_check.ts";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { runOperatorTask } from "../support/operator_task.ts";
import { delivery, secrets, startStripeStandIn } from "../events/stripe_stand_in.ts";
import {
  addPayingCommunity,
  consume,
  METER,
  report,
  reports,
  startScriptedStripe,
  startUsageRig,
} from "./rig.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon (UTC) of a day so many days ago. */
const noon = (daysAgo: number) => new Date(Math.floor(Date.now() / DAY) * DAY - daysAgo * DAY + 12 * HOUR);
const startOf = (moment: Date) => Math.floor(moment.getTime() / DAY) * DAY / 1000;
const dayOf = (moment: Date) => moment.toISOString().slice(0, 10);

/** Community garden used 5 four days ago and 7 three days ago. Both reports were sent two days ago. */
async function setUp() {
  const rig = await startUsageRig();
  const scripted = startScriptedStripe();
  await addPayingCommunity(rig, "garden");
  await rig.operator`insert into billing.customers (id, community_id) values ('cus_garden', 'garden')`;
  await consume(rig, "garden", 5, noon(4));
  await consume(rig, "garden", 7, noon(3));
  await rig.stopClockAt(noon(2));
  assert.equal((await report(rig, scripted.stripe)).sent, 2);
  await rig.stopClockAt(new Date());
  const count = (...days: [moment: Date, quantity: number][]) => {
    scripted.counted.splice(0);
    for (const [moment, quantity] of days) {
      scripted.counted.push({ start_time: startOf(moment), aggregated_value: quantity });
    }
  };
  return {
    rig,
    count,
    runTask: (...args: string[]) =>
      runOperatorTask(
        { databaseUrl: rig.database.url("postgres"), stripeUrl: scripted.url },
        "usage_check.ts",
        args,
      ),
    check: () => checkUsage({ db: rig.db, stripe: scripted.stripe }),
    anomalies: () =>
      rig.operator`
      select object_id, community_id, detail, resolved_at is null as is_open from billing.anomalies
      where kind = 'usage_difference'`,
    async [Symbol.asyncDispose]() {
      await scripted[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

Deno.test("checkUsage finds nothing when Stripe counts what was reported", async () => {
  await using it = await setUp();
  it.count([noon(4), 5], [noon(3), 7]);
  assert.deepEqual(await it.check(), { compared: 1, differences: [] });
  assert.equal((await it.anomalies()).length, 0);
});

Deno.test("checkUsage reports each day that Stripe counts differently, as an anomaly until it is resolved", async () => {
  await using it = await setUp();
  it.count([noon(4), 5], [noon(6), 2]);
  const of = { stripeCustomerId: "cus_garden", meterEventName: METER };
  assert.deepEqual(await it.check(), {
    compared: 1,
    differences: [
      { ...of, day: dayOf(noon(6)), reported: 0, counted: 2 },
      { ...of, day: dayOf(noon(3)), reported: 7, counted: 0 },
    ],
  });
  assert.deepEqual([...await it.anomalies()], [{
    object_id: `cus_garden ${METER}`,
    community_id: "garden",
    detail: `${dayOf(noon(6))}: 0 reported, 2 counted by Stripe; ${
      dayOf(noon(3))
    }: 7 reported, 0 counted by Stripe`,
    is_open: true,
  }]);
  it.count([noon(4), 5], [noon(3), 7]);
  await it.check();
  assert.equal((await it.anomalies())[0].is_open, false);
});

Deno.test("deno task usage:check prints differences as a table or as JSON, and exits with 1 when there are any", async () => {
  await using it = await setUp();
  it.count([noon(4), 5]);
  const table = await it.runTask();
  assert.equal(table.success, false);
  assert.match(table.out, RegExp(`cus_garden.*${METER}.*${dayOf(noon(3))}.*7.*0`));
  const { differences } = JSON.parse((await it.runTask("--json")).out);
  assert.deepEqual(differences.map(({ day }: { day: string }) => day), [dayOf(noon(3))]);

  it.count([noon(4), 5], [noon(3), 7]);
  const { success, out, err } = await it.runTask();
  assert.ok(success, err);
  assert.match(out, /Stripe counts what was reported\./);
});

Deno.test("checkUsage skips days with a claimed report or one sent within the last hour", async () => {
  await using it = await setUp();
  await it.rig.operator`update billing.usage_reports set state = 'claimed' where quantity = 5`;
  await it.rig
    .operator`update billing.usage_reports set finished_at = now() - interval '50 minutes' where quantity = 7`;
  assert.deepEqual((await it.check()).differences, []);
  await it.rig
    .operator`update billing.usage_reports set finished_at = now() - interval '70 minutes' where quantity = 7`;
  assert.deepEqual((await it.check()).differences.map(({ reported }) => reported), [7]);
});

Deno.test("checkUsage skips what was compared since checkedBefore", async () => {
  await using it = await setUp();
  it.count([noon(4), 5], [noon(3), 7]);
  await it.check();
  const dayAgo = new Date(Date.now() - DAY);
  await using scripted = startScriptedStripe();
  const check = (checkedBefore: Date) =>
    checkUsage({ db: it.rig.db, stripe: scripted.stripe }, { checkedBefore });
  assert.equal((await check(dayAgo)).compared, 0);
  await it.rig.operator`update billing.usage_queues set checked_at = now() - interval '25 hours'`;
  assert.equal((await check(dayAgo)).compared, 1);
});

Deno.test("a meter error event marks the usage reports it names as refused", async () => {
  await using it = await setUp();
  await using standIn = startStripeStandIn();
  const handle = webhookHandler({ db: it.rig.db, stripe: standIn.stripe, isLive: false, secrets });
  const [first, second] = await reports(it.rig);
  const thin = {
    object: "v2.core.event",
    id: "evt_thin",
    type: "v1.billing.meter.error_report_triggered",
    created: new Date().toISOString(),
    livemode: false,
    related_object: { id: "mtr_1", type: "billing.meter", url: "/v1/billing/meters/mtr_1" },
  };
  const sample = (identifier: string) => ({
    error_message: "No customer cus_garden",
    request: { identifier },
  });
  standIn.objects.set(thin.id, {
    ...thin,
    data: {
      developer_message_summary: "Two were refused",
      reason: {
        error_count: 2,
        error_types: [{
          code: "meter_event_customer_not_found",
          error_count: 2,
          sample_errors: [sample(`${first.identifier}.3`), sample("somebody_elses")],
        }],
      },
    },
  });
  assert.equal((await handle(await delivery(thin))).status, 200);
  const after = await reports(it.rig);
  assert.deepEqual(after.map(({ state, error }) => [state, error]), [
    ["refused", "meter_event_customer_not_found: No customer cus_garden"],
    ["sent", null],
  ]);
  assert.equal(after[1].identifier, second.identifier);
  const shown = await it.rig.operator`select quantity, state, error from public.unsent_usage_reports`;
  assert.deepEqual([...shown], [{
    quantity: "5",
    state: "refused",
    error: "meter_event_customer_not_found: No customer cus_garden",
  }]);
});
