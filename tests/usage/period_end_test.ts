// Usage until the last second of a billing period is on the invoice of that period.
import assert from "node:assert/strict";
import { createPayer, createPro, startSimulatorWithClock } from "@dues/stripe-simulator/testing";
import { addPayingCommunity, consume, createMeter, report, reports, startUsageRig } from "./rig.ts";

const DAY = 86_400;

Deno.test("reportUsage sends usage of the last second of a period in time for its invoice; later usage is a report of its own", async () => {
  const start = Math.floor(Date.now() / 1000) - 33 * DAY;
  await using rig = await startUsageRig();
  await using sim = await startSimulatorWithClock(new Date(start * 1000).toISOString());
  const { stripe } = sim;
  const meter = await createMeter(stripe);
  const price = await createPro(stripe, {
    unit_amount: 4,
    recurring: { interval: "month", usage_type: "metered", meter: meter.id },
  });
  const customer = await createPayer(sim);
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  });
  const period = subscription.items.data[0];
  await addPayingCommunity(rig, "garden", customer.id);
  await rig.operator`
    insert into public.subscriptions (
      id, community_id, customer_id, status, started_at, current_period_start, current_period_end)
    values (${subscription.id}, 'garden', ${customer.id}, 'active', to_timestamp(${start}),
      to_timestamp(${period.current_period_start}), to_timestamp(${period.current_period_end}))`;

  const end = period.current_period_end * 1000;
  await consume(rig, "garden", 3, new Date(end - 1000));
  await consume(rig, "garden", 5, new Date(end + 1000));
  await rig.stopClockAt(new Date(end + 5 * 60_000));
  await sim.advanceTo(period.current_period_end + 5 * 60);
  assert.equal(
    (await report(rig, stripe)).sent,
    1,
    "the period's last report does not wait for the end of its hour",
  );
  await sim.advanceTo(period.current_period_end + 2 * 3600);

  const { data: [invoice] } = await stripe.invoices.list({ subscription: subscription.id, limit: 1 });
  const line = invoice.lines.data.find(({ pricing }) => pricing?.price_details?.price === price.id);
  assert.deepEqual([invoice.status === "draft", line?.quantity, line?.amount], [false, 3, 12]);

  await rig.stopClockAt(new Date(end + 2 * 3_600_000));
  assert.equal((await report(rig, stripe)).sent, 1);
  assert.deepEqual((await reports(rig)).map(({ quantity, state }) => [quantity, state]), [["3", "sent"], [
    "5",
    "sent",
  ]]);
});
