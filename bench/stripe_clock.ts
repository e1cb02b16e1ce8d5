/**
 * Measures time and memory of the Stripe simulator for 1,000 subscriptions on one test clock over 24 months.
 *
 *     deno run -A bench/stripe_clock.ts [--subscriptions 1000] [--months 24] [--json]
 *
 * Each subscription is on one of three plans; a third are metered and have usage each month; one in ten has a card that fails.
 * The memory is the peak of the process, this client included.
 */
import { parseArgs } from "node:util";
import process from "node:process";
import Stripe from "stripe";
import { serveSimulator } from "@dues/stripe-simulator";
import type { Measure } from "./measures.ts";

const limits = { seconds: 60, megabytes: 500 };
const start = Date.parse("2026-01-31T12:00:00Z") / 1000;

const { values } = parseArgs({
  options: {
    subscriptions: { type: "string", default: "1000" },
    months: { type: "string", default: "24" },
    json: { type: "boolean", default: false },
  },
});

/** The last second of the month that many months after the start. By then every renewal of that month is done. */
function monthAfter(months: number): number {
  const date = new Date(start * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 1) / 1000 - 1;
}

/** Calls `work` with each index below `count`, eight at the same time. */
async function inParallel(count: number, work: (index: number) => Promise<void>) {
  const next = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const index of next) await work(index);
  }));
}

async function makeCatalog(stripe: Stripe) {
  const product = await stripe.products.create({ name: "Pro" });
  const meter = await stripe.billing.meters.create({
    display_name: "Messages",
    event_name: "message",
    default_aggregation: { formula: "sum" },
  });
  const recurring = (fields: Partial<Stripe.PriceCreateParams.Recurring> = {}) => ({
    interval: "month",
    ...fields,
  });
  const common = { product: product.id, currency: "usd" };
  const pro = await stripe.prices.create({ ...common, unit_amount: 1500, recurring: recurring() });
  const team = await stripe.prices.create({ ...common, unit_amount: 4500, recurring: recurring() });
  const usage = await stripe.prices.create({
    ...common,
    unit_amount: 2,
    recurring: recurring({ usage_type: "metered", meter: meter.id }),
  });
  return [[pro.id], [team.id], [pro.id, usage.id]];
}

async function measure(subscriptions: number, months: number): Promise<Measure[]> {
  const simulator = await serveSimulator({ log: () => {} });
  const { host, port } = simulator;
  const stripe = new Stripe("sk_test_bench", { host, port, protocol: "http", telemetry: false });
  let peak = 0;
  const sample = () => peak = Math.max(peak, process.memoryUsage().rss);
  const sampling = setInterval(sample, 50);
  const plans = await makeCatalog(stripe);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start });
  const customers: string[] = [];
  const begun = performance.now();
  await inParallel(subscriptions, async (index) => {
    const card = index % 10 === 9 ? "pm_card_chargeCustomerFail" : "pm_card_visa";
    const customer = await stripe.customers.create({
      test_clock: clock.id,
      payment_method: card,
      invoice_settings: { default_payment_method: card },
    });
    customers.push(customer.id);
    await stripe.subscriptions.create({
      customer: customer.id,
      items: plans[index % plans.length].map((price) => ({ price })),
      trial_period_days: index % 10 === 9 ? 7 : undefined,
    });
  });
  const created = performance.now();
  for (let month = 1; month <= months; month++) {
    await inParallel(customers.length, async (index) => {
      if (index % plans.length !== 2) return;
      const payload = { stripe_customer_id: customers[index], value: String(month * 10) };
      await stripe.billing.meterEvents.create({ event_name: "message", payload });
    });
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: monthAfter(month) });
    if (!await simulator.idle(600_000)) throw new Error("the clock did not reach its time");
  }
  sample();
  clearInterval(sampling);
  const ended = performance.now();
  const paid = simulator.account.invoices.oldestFirst().filter(({ status }) => status === "paid").length;
  await simulator.stop();
  return [
    {
      name: `start ${subscriptions} subscriptions by API`,
      value: (created - begun) / 1000,
      unit: "s",
      limit: limits.seconds,
    },
    {
      name: `${months} months of them on a test clock, ${paid} invoices paid`,
      value: (ended - created) / 1000,
      unit: "s",
      limit: limits.seconds,
    },
    { name: "peak memory", value: peak / 1e6, unit: "MB", limit: limits.megabytes },
  ];
}

const measures = await measure(Number(values.subscriptions), Number(values.months));
for (const { name, value, unit, limit } of measures) {
  const text = `${name}: ${value.toFixed(1)} ${unit} (at most ${limit} ${unit})`;
  console.log(values.json ? JSON.stringify({ name, value, unit, limit }) : text);
}
if (measures.some(({ value, limit }) => value > limit)) Deno.exit(1);
