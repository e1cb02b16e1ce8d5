// What reportUsage sends to Stripe, and what each answer means for a usage report.
import assert from "node:assert/strict";
import { Deadline } from "../../billing/deadline.ts";
import { checkUsage } from "../../billing/usage/meter_check.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { callsPerSecond } from "../../billing/usage/usage_reports.ts";
import {
  addPayingCommunity,
  type Answer,
  consume,
  METER,
  refusal,
  report,
  reports,
  startScriptedStripe,
  startUsageRig,
} from "./rig.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Seven minutes past the hour, so long ago. */
const ago = (milliseconds: number) =>
  new Date(Math.floor((Date.now() - milliseconds) / HOUR) * HOUR + 7 * MINUTE);

Deno.test("reportUsage sends a closed hour as one meter event, with the report's identifier as idempotency key", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe();
  await addPayingCommunity(rig, "garden");
  const usedAt = ago(3 * HOUR);
  await consume(rig, "garden", 3, usedAt);
  await consume(rig, "garden", 4, new Date(usedAt.getTime() + 5 * MINUTE));
  assert.deepEqual(await report(rig, scripted.stripe), { sent: 0, retried: 0, refused: 0, givenUp: 0 });

  await rig.stopClockAt(ago(HOUR));
  assert.deepEqual(await report(rig, scripted.stripe), { sent: 1, retried: 0, refused: 0, givenUp: 0 });
  const [{ identifier, state }] = await reports(rig);
  assert.equal(state, "sent");
  assert.deepEqual(scripted.received, [{
    event_name: METER,
    identifier,
    timestamp: usedAt.getTime() / 1000,
    customer: "cus_garden",
    value: "7",
    key: identifier,
  }]);
  assert.deepEqual(await report(rig, scripted.stripe), { sent: 0, retried: 0, refused: 0, givenUp: 0 });
  assert.equal(scripted.received.length, 1, "a sent report is not sent again");
});

const invalid = (message: string, code?: string) =>
  refusal(400, { type: "invalid_request_error", message, code });

/** Stripe's answer, the report's state after it, and the seconds until a retry. */
const answers: [name: string, answer: Answer | "hang up", state: string, seconds?: number][] = [
  ["success", { status: 200 }, "sent"],
  [
    "an event with that identifier already exists",
    invalid("An event already exists with identifier dues_1."),
    "sent",
  ],
  ["a failure inside Stripe", refusal(500, { type: "api_error", message: "Oops" }), "claimed", 5],
  ["Stripe is overloaded", refusal(503, { type: "api_error", message: "Later" }), "claimed", 5],
  [
    "too many requests",
    refusal(429, { type: "invalid_request_error", code: "rate_limit", message: "Slow" }),
    "claimed",
    5,
  ],
  [
    "the same request in progress",
    refusal(409, { type: "idempotency_error", code: "idempotency_key_in_use", message: "Busy" }),
    "claimed",
    5,
  ],
  ["a connection that is closed", "hang up", "claimed", 5],
  [
    "an invalid key",
    refusal(401, { type: "invalid_request_error", message: "Invalid API Key" }),
    "claimed",
    5,
  ],
  [
    "a key without permission",
    refusal(403, { type: "invalid_request_error", message: "rak_x" }),
    "claimed",
    5,
  ],
  ["a missing meter", invalid("No active meter found for event_name: dues_image"), "claimed", 3600],
  ["an archived meter", invalid("The meter is archived", "archived_meter"), "claimed", 3600],
  ["a timestamp in the future", invalid("timestamp in the future", "timestamp_in_future"), "claimed", 5],
  [
    "usage that is too old",
    invalid("timestamp too far in the past", "timestamp_too_far_in_past"),
    "given_up",
  ],
  ["a customer that was deleted", invalid("No such customer: 'cus_garden'", "resource_missing"), "refused"],
  [
    "a value that Stripe cannot store",
    invalid("too many digits", "meter_event_value_too_many_digits"),
    "refused",
  ],
  [
    "an idempotency key that was used for another request",
    refusal(400, { type: "idempotency_error", message: "Keys can only be used with the same parameters" }),
    "refused",
  ],
];

Deno.test("reportUsage sets the state that follows from each answer of Stripe", async (t) => {
  await using rig = await startUsageRig();
  const now = ago(HOUR);
  for (const [index, [name, answer, state, seconds]] of answers.entries()) {
    await t.step(name, async () => {
      await using scripted = startScriptedStripe(() => answer);
      const community = `garden${index}`;
      await addPayingCommunity(rig, community);
      await consume(rig, community, 1, ago(3 * HOUR));
      await rig.stopClockAt(now);
      const run = await report(rig, scripted.stripe);
      assert.equal(run.sent + run.retried + run.refused + run.givenUp, 1);
      assert.equal(scripted.received.length, 1);

      const [found] = await rig.operator`
        select state, error is not null as is_explained, due_at from billing.usage_reports
        where community_id = ${community}`;
      assert.equal(found.state, state);
      assert.equal(found.is_explained, state !== "sent", "every other state has an error");
      if (seconds !== undefined) assert.equal(found.due_at.getTime() - now.getTime(), seconds * 1000);
      // Keeps it out of the next step.
      await rig.operator`update billing.usage_reports set state = 'sent' where state = 'claimed'`;
    });
  }
});

Deno.test("reportUsage retries after 5, 10, 20, … seconds under the same identifier until Stripe accepts", async () => {
  await using rig = await startUsageRig();
  let isUp = false;
  await using scripted = startScriptedStripe(() =>
    isUp ? { status: 200 } : refusal(500, { type: "api_error", message: "Oops" })
  );
  await addPayingCommunity(rig, "garden");
  await consume(rig, "garden", 2, ago(6 * HOUR));
  let now = ago(5 * HOUR).getTime();
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    await rig.stopClockAt(new Date(now));
    assert.equal((await report(rig, scripted.stripe)).retried, 1);
    assert.equal((await report(rig, scripted.stripe)).retried, 0, "not before due_at");
    const [{ due_at }] = await rig.operator`select due_at from billing.usage_reports`;
    pauses.push((due_at.getTime() - now) / 1000);
    now = due_at.getTime();
  }
  assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
  isUp = true;
  await rig.stopClockAt(new Date(now));
  assert.equal((await report(rig, scripted.stripe)).sent, 1);
  assert.equal(new Set(scripted.received.map((event) => JSON.stringify(event))).size, 1);
});

Deno.test("reportUsage sends with another idempotency key and the same identifier when Stripe replays a failure", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe(({ key, identifier }) =>
    key === identifier
      ? refusal(500, { type: "api_error", message: "Oops" }, { "idempotent-replayed": "true" })
      : { status: 200 }
  );
  await addPayingCommunity(rig, "garden");
  await consume(rig, "garden", 2, ago(3 * HOUR));
  await rig.stopClockAt(ago(HOUR));
  assert.equal((await report(rig, scripted.stripe)).sent, 1);
  const [first, second] = scripted.received;
  assert.equal(second.key, `${first.identifier}.1`);
  assert.deepEqual({ ...second, key: first.key }, first);
});

Deno.test("reportUsage ends the run when the secret key lacks the permission", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe(() =>
    refusal(403, { type: "invalid_request_error", message: "rak" })
  );
  for (const name of ["a", "b", "c"]) {
    await addPayingCommunity(rig, name);
    await consume(rig, name, 1, ago(3 * HOUR));
  }
  await rig.stopClockAt(ago(HOUR));
  assert.equal((await report(rig, scripted.stripe, { atOnce: 1 })).retried, 1);
  assert.equal(scripted.received.length, 1);
});

Deno.test("reportUsage gives up usage older than 35 days without a call to Stripe", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe();
  await addPayingCommunity(rig, "garden");
  await consume(rig, "garden", 1, ago(36 * DAY));
  await rig.stopClockAt(new Date());
  assert.equal((await report(rig, scripted.stripe)).givenUp, 1);
  assert.deepEqual(scripted.received, []);
  const [{ error }] = await reports(rig);
  assert.match(error!, /35 days/);
});

Deno.test("reportUsage looks in the meter before it resends a report whose identifier Stripe may have forgotten", async (t) => {
  for (
    const [name, isCounted] of [["Stripe counts it", true], ["Stripe does not count it", false]] as const
  ) {
    await t.step(name, async () => {
      await using rig = await startUsageRig();
      await using scripted = startScriptedStripe();
      await addPayingCommunity(rig, "garden");
      const usedAt = ago(3 * DAY);
      await consume(rig, "garden", 5, usedAt);
      // A worker claims it, sends it or not, and dies.
      await rig.stopClockAt(ago(2 * DAY));
      await rig.operator`select billing.claim_usage_reports(1)`;
      if (isCounted) scripted.counted.push({ start_time: usedAt.getTime() / 1000, aggregated_value: 5 });
      await rig.stopClockAt(new Date());
      assert.equal((await report(rig, scripted.stripe)).sent, 1);
      assert.equal(scripted.received.length, isCounted ? 0 : 1);
    });
  }
});

Deno.test("several reportUsage runs send each report once, and never two of one customer at a time", async () => {
  await using rig = await startUsageRig({ connections: 8 });
  const inProgress = new Set<string>();
  const together: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const form = new URLSearchParams(await request.text());
    const customer = form.get("payload[stripe_customer_id]")!;
    if (inProgress.has(customer)) together.push(customer);
    inProgress.add(customer);
    seen.push(form.get("identifier")!);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inProgress.delete(customer);
    return Response.json({ object: "billing.meter_event" });
  });
  const seen: string[] = [];
  const stripe = connectStripe({
    secretKey: "sk_test_tests",
    apiBase: `http://127.0.0.1:${server.addr.port}`,
  });
  for (const name of ["a", "b", "c", "d", "e"]) {
    await addPayingCommunity(rig, name);
  }
  for (let hour = 12; hour > 4; hour--) {
    for (const name of ["a", "b", "c", "d", "e"]) await consume(rig, name, 1, ago(hour * HOUR));
  }
  await rig.stopClockAt(ago(HOUR));
  while ((await reports(rig)).some(({ state }) => state !== "sent")) {
    await Promise.all(Array.from({ length: 4 }, () => report(rig, stripe, { atOnce: 3 })));
  }
  await server.shutdown();
  assert.equal(seen.length, 40);
  assert.equal(new Set(seen).size, 40);
  assert.deepEqual(together, []);
});

Deno.test("reportUsage ends when its seconds are over, and the next run continues", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe();
  await addPayingCommunity(rig, "garden");
  for (const hour of [5, 4, 3]) await consume(rig, "garden", 1, ago(hour * HOUR));
  await rig.stopClockAt(ago(HOUR));
  assert.equal((await report(rig, scripted.stripe, { seconds: 0 })).sent, 0);
  assert.equal((await report(rig, scripted.stripe, { atOnce: 1 })).sent, 3);
});

Deno.test("with a silent Stripe, reportUsage and checkUsage end by their deadline, and the reports are sent later", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe();
  let open = 0;
  await using silent = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    open++;
    return new Promise<Response>((resolve) =>
      request.signal.addEventListener("abort", () => {
        open--;
        resolve(new Response());
      })
    );
  });
  const stripe = connectStripe({
    secretKey: "sk_test_tests",
    apiBase: `http://127.0.0.1:${silent.addr.port}`,
  });
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) {
    await addPayingCommunity(rig, name);
    await consume(rig, name, 1, ago(72 * HOUR));
  }
  await rig.stopClockAt(ago(70 * HOUR));
  assert.equal((await report(rig, scripted.stripe)).sent, 5);
  for (const name of names) await consume(rig, name, 1, ago(3 * HOUR));
  await rig.stopClockAt(ago(HOUR));

  const begun = performance.now();
  const run = await report(rig, stripe, { seconds: 1, deadline: Deadline.in(1_000) });
  assert.deepEqual([run.sent, run.retried], [0, 5]);
  await assert.rejects(checkUsage({ db: rig.db, stripe }, { deadline: Deadline.in(1_000) }), {
    code: "stripe_unavailable",
  });
  assert.ok(performance.now() - begun < 6_000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(open, 0, "nothing goes on afterwards");

  await rig.stopClockAt(new Date());
  assert.equal((await report(rig, scripted.stripe)).sent, 5);
});

Deno.test("reportUsage keeps to perSecond, and callsPerSecond depends on the mode of the key", async () => {
  await using rig = await startUsageRig();
  await using scripted = startScriptedStripe();
  for (const name of ["a", "b", "c", "d", "e"]) {
    await addPayingCommunity(rig, name);
    await consume(rig, name, 1, ago(3 * HOUR));
  }
  await rig.stopClockAt(ago(HOUR));
  const begun = performance.now();
  assert.equal((await report(rig, scripted.stripe, { perSecond: 20 })).sent, 5);
  assert.ok(performance.now() - begun >= 4 * 50 - 5, "five calls at 20 a second take four pauses of 50 ms");
  assert.deepEqual([callsPerSecond("sk_test_1"), callsPerSecond("rk_live_1")], [20, 500]);
});
