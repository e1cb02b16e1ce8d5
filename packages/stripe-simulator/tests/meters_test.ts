import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  at,
  type ClockSimulator,
  configure,
  createPayer,
  createPro,
  iso,
  startReceiver,
  startSimulator,
  startSimulatorWithClock,
} from "../testing.ts";

type MeterFields = Partial<Stripe.Billing.MeterCreateParams>;

/** A meter, a subscription of 15 dollars plus half a cent per message, and a function that reports usage. */
async function metered(
  meterFields: MeterFields = {},
  subscriptionFields: Partial<Stripe.SubscriptionCreateParams> = {},
) {
  const rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const meter = await createMeter(stripe, meterFields);
  const pro = await createPro(stripe);
  const usage = await createUsagePrice(stripe, meter.id);
  const customer = await createPayer(rig);
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: pro.id }, { price: usage.id }],
    ...subscriptionFields,
  });
  const use = (value: number | string, when: string, identifier?: string) =>
    stripe.billing.meterEvents.create({
      event_name: "chat_message",
      payload: { stripe_customer_id: customer.id, value: String(value) },
      timestamp: at(when),
      identifier,
    });
  return { ...rig, meter, pro, usage, customer, subscription, use };
}

function createMeter(stripe: Stripe, fields: MeterFields = {}) {
  return stripe.billing.meters.create({
    display_name: "Chat messages",
    event_name: "chat_message",
    default_aggregation: { formula: "sum" },
    ...fields,
  });
}

function createUsagePrice(stripe: Stripe, meter: string) {
  return createPro(stripe, {
    recurring: { interval: "month", usage_type: "metered", meter },
    unit_amount: undefined,
    unit_amount_decimal: "0.5" as unknown as Stripe.Decimal,
  });
}

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

const usageLine = (invoice: Stripe.Invoice, price: string) =>
  invoice.lines.data.find((line) => line.pricing?.price_details?.price === price);

Deno.test("meters can be created once per event name, renamed, deactivated and reactivated", async () => {
  await using rig = await startSimulator();
  const { meters } = rig.stripe.billing;
  const meter = await createMeter(rig.stripe);
  assert.match(meter.id, /^mtr_/);
  assert.deepEqual([
    meter.customer_mapping.event_payload_key,
    meter.value_settings.event_payload_key,
    meter.status,
  ], [
    "stripe_customer_id",
    "value",
    "active",
  ]);
  await assert.rejects(createMeter(rig.stripe), { statusCode: 400, param: "event_name" });
  assert.equal((await meters.update(meter.id, { display_name: "Messages" })).display_name, "Messages");
  const inactive = await meters.deactivate(meter.id);
  assert.deepEqual([inactive.status, inactive.status_transitions.deactivated_at !== null], [
    "inactive",
    true,
  ]);
  assert.deepEqual((await meters.list({ status: "active" })).data, []);
  await assert.rejects(meters.deactivate(meter.id), { statusCode: 400 });
  assert.equal((await meters.reactivate(meter.id)).status, "active");
  assert.equal((await meters.retrieve(meter.id)).status_transitions.deactivated_at, null);
});

Deno.test("a metered price requires a meter and a licensed price must not have one", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const meter = await createMeter(stripe);
  const price = await createUsagePrice(stripe, meter.id);
  assert.deepEqual([price.unit_amount, String(price.unit_amount_decimal), price.recurring?.meter], [
    null,
    "0.5",
    meter.id,
  ]);
  const wrong: [Stripe.PriceCreateParams.Recurring, string][] = [
    [{ interval: "month", usage_type: "metered" }, "recurring[meter]"],
    [{ interval: "month", meter: meter.id }, "recurring[meter]"],
    [{ interval: "month", usage_type: "metered", meter: "mtr_none" }, "recurring[meter]"],
  ];
  for (const [recurring, param] of wrong) {
    await assert.rejects(createPro(stripe, { recurring }), { statusCode: 400, param });
  }
  assert.deepEqual((await stripe.prices.list({ recurring: { meter: meter.id } })).data.map(({ id }) => id), [
    price.id,
  ]);
});

const formulas: [formula: "count" | "last" | "sum", used: string, amount: number][] = [
  ["sum", "130.5", 65],
  ["count", "3", 2],
  ["last", "20.5", 10],
];

for (const [formula, used, amount] of formulas) {
  Deno.test(`the ${formula} of a period's usage is billed after the period`, async () => {
    await using rig = await metered({ default_aggregation: { formula } });
    const first = await newestInvoice(rig, rig.subscription);
    assert.equal(first.amount_paid, 1500);
    await rig.advanceTo("2026-02-01T00:00:00Z");
    await rig.use(100, "2026-01-15T00:00:00Z");
    await rig.use("20.5", "2026-01-25T00:00:00Z");
    await rig.use(10, "2026-01-20T00:00:00Z");
    await rig.advanceTo("2026-02-10T10:00:00Z");
    await rig.use(1000, "2026-02-10T09:00:00Z");
    const invoice = await newestInvoice(rig, rig.subscription);
    const line = usageLine(invoice, rig.usage.id);
    assert.deepEqual([
      String(line?.quantity_decimal),
      line?.amount,
      iso(line?.period.start ?? 0),
      iso(line?.period.end ?? 0),
    ], [
      used,
      amount,
      "2026-01-10T09:00",
      "2026-02-10T09:00",
    ]);
    assert.deepEqual([invoice.status, invoice.amount_paid], ["paid", 1500 + amount]);
  });
}

Deno.test("usage that is reported late is billed while the invoice is a draft", async () => {
  await using rig = await metered();
  await rig.advanceTo("2026-02-10T09:30:00Z");
  await rig.use(200, "2026-02-10T08:59:59Z");
  await rig.advanceTo("2026-02-10T10:00:00Z");
  const invoice = await newestInvoice(rig, rig.subscription);
  assert.deepEqual([usageLine(invoice, rig.usage.id)?.amount, invoice.amount_paid], [100, 1600]);
  await rig.use(200, "2026-02-10T08:00:00Z");
  await rig.advanceTo("2026-03-10T10:00:00Z");
  assert.equal(usageLine(await newestInvoice(rig, rig.subscription), rig.usage.id)?.amount, 0);
});

Deno.test("usage in a trial is not billed", async () => {
  await using rig = await metered({}, { trial_period_days: 10 });
  await rig.advanceTo("2026-01-15T00:00:00Z");
  await rig.use(5000, "2026-01-14T00:00:00Z");
  await rig.advanceTo("2026-01-20T10:00:00Z");
  const invoice = await newestInvoice(rig, rig.subscription);
  assert.deepEqual([usageLine(invoice, rig.usage.id), invoice.amount_paid], [undefined, 1500]);
});

Deno.test("usage is billed when the subscription ends with its period, and with invoice_now when it is canceled", async () => {
  for (const atOnce of [true, false]) {
    await using rig = await metered();
    await rig.advanceTo("2026-01-20T00:00:00Z");
    await rig.use(400, "2026-01-19T00:00:00Z");
    if (atOnce) await rig.stripe.subscriptions.cancel(rig.subscription.id, { invoice_now: true });
    else await rig.stripe.subscriptions.update(rig.subscription.id, { cancel_at_period_end: true });
    await rig.advanceTo("2026-02-10T10:00:00Z");
    const invoice = await newestInvoice(rig, rig.subscription);
    assert.deepEqual([invoice.status, invoice.amount_paid], ["paid", 200]);
  }
});

Deno.test("an amount below the minimum charge stays on the customer's balance", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const meter = await createMeter(stripe);
  const usage = await createUsagePrice(stripe, meter.id);
  const customer = await createPayer(rig);
  const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: usage.id }] });
  const amounts: [number, number][] = [];
  for (const month of ["02", "03", "04"]) {
    await stripe.billing.meterEvents.create({
      event_name: "chat_message",
      payload: { stripe_customer_id: customer.id, value: "40" },
    });
    await rig.advanceTo(`2026-${month}-10T10:00:00Z`);
    const invoice = await newestInvoice(rig, { id });
    amounts.push([invoice.total, invoice.amount_paid]);
  }
  assert.deepEqual(amounts, [[20, 0], [20, 0], [20, 60]]);
});

Deno.test("a meter event with a known identifier is refused with 400", async () => {
  await using rig = await metered();
  const event = await rig.use(7, "2026-01-10T08:00:00Z", "hour-1");
  assert.deepEqual([event.object, event.identifier, event.payload.value], [
    "billing.meter_event",
    "hour-1",
    "7",
  ]);
  await assert.rejects(rig.use(7, "2026-01-10T08:00:00Z", "hour-1"), {
    statusCode: 400,
    type: "StripeInvalidRequestError",
    message: "An event already exists with identifier hour-1.",
  });
  const create = () =>
    rig.stripe.billing.meterEvents.create({
      event_name: "chat_message",
      payload: { stripe_customer_id: rig.customer.id, value: "3" },
      identifier: "hour-2",
    }, { idempotencyKey: "hour-2" });
  assert.deepEqual(await create(), await create());
});

const refused: [name: string, params: Partial<Stripe.Billing.MeterEventCreateParams>, message: RegExp][] = [
  ["without a meter", { event_name: "unknown" }, /^No active meter found/],
  [
    "older than 35 days",
    { timestamp: at("2025-12-06T08:59:59Z") },
    /^The event timestamp cannot be more than 35 days in past/,
  ],
  [
    "more than five minutes in the future",
    { timestamp: at("2026-01-10T09:05:01Z") },
    /^The event timestamp cannot be more than 5 minutes/,
  ],
];

for (const [name, params, message] of refused) {
  Deno.test(`a meter event ${name} is refused with 400`, async () => {
    await using rig = await metered();
    await assert.rejects(
      rig.stripe.billing.meterEvents.create({
        event_name: "chat_message",
        payload: { stripe_customer_id: rig.customer.id, value: "1" },
        ...params,
      }),
      { statusCode: 400, message },
    );
  });
}

Deno.test("a meter event at the limits of the allowed timestamps is accepted", async () => {
  await using rig = await metered();
  await rig.use(1, "2025-12-06T09:00:00Z");
  await rig.use(1, "2026-01-10T09:05:00Z");
});

Deno.test("a meter event can be canceled within a day", async () => {
  await using rig = await metered();
  const { meterEventAdjustments } = rig.stripe.billing;
  const cancel = (identifier: string) =>
    meterEventAdjustments.create({ event_name: "chat_message", type: "cancel", cancel: { identifier } });
  await rig.use(100, "2026-01-10T09:00:00Z", "early");
  await rig.use(100, "2026-01-10T09:00:00Z", "mistake");
  await rig.advanceTo("2026-01-11T09:00:00Z");
  assert.equal((await cancel("mistake")).cancel?.identifier, "mistake");
  await assert.rejects(cancel("mistake"), { statusCode: 400 });
  await assert.rejects(cancel("unknown"), { statusCode: 400 });
  await rig.advanceTo("2026-01-11T09:00:01Z");
  await assert.rejects(cancel("early"), { statusCode: 400 });
  await rig.advanceTo("2026-02-10T10:00:00Z");
  assert.equal(usageLine(await newestInvoice(rig, rig.subscription), rig.usage.id)?.quantity, 100);
});

Deno.test("event summaries show the usage as a whole, by hour and by day", async () => {
  await using rig = await metered();
  await rig.advanceTo("2026-01-14T00:00:00Z");
  await rig.use(1, "2026-01-12T00:00:00Z");
  await rig.use(2, "2026-01-12T00:59:59Z");
  await rig.use(4, "2026-01-12T01:00:00Z");
  await rig.use(8, "2026-01-13T00:00:00Z");
  const read = async (window?: "day" | "hour", end = "2026-01-13T00:00:00Z") => {
    const summaries = await rig.stripe.billing.meters.listEventSummaries(rig.meter.id, {
      customer: rig.customer.id,
      start_time: at("2026-01-12T00:00:00Z"),
      end_time: at(end),
      value_grouping_window: window,
    });
    return summaries.data.map((summary) => [iso(summary.start_time), summary.aggregated_value]);
  };
  assert.deepEqual(await read(), [["2026-01-12T00:00", 7]]);
  assert.deepEqual(await read("hour"), [["2026-01-12T01:00", 4], ["2026-01-12T00:00", 3]]);
  assert.deepEqual(await read("day", "2026-01-14T00:00:00Z"), [["2026-01-13T00:00", 8], [
    "2026-01-12T00:00",
    7,
  ]]);
  await assert.rejects(read("hour", "2026-01-12T00:30:00Z"), { statusCode: 400, param: "end_time" });
  await assert.rejects(read(undefined, "2026-01-12T00:30:01Z"), { statusCode: 400, param: "end_time" });
  await assert.rejects(read(undefined, "2026-01-12T00:00:00Z"), { statusCode: 400, param: "end_time" });
});

Deno.test("with event_time_window only the last event of each hour counts", async () => {
  await using rig = await metered({ event_time_window: "hour" });
  await rig.advanceTo("2026-01-13T00:00:00Z");
  await rig.use(5, "2026-01-12T00:10:00Z");
  await rig.use(9, "2026-01-12T00:50:00Z");
  await rig.use(1, "2026-01-12T02:00:00Z");
  const summaries = await rig.stripe.billing.meters.listEventSummaries(rig.meter.id, {
    customer: rig.customer.id,
    start_time: at("2026-01-12T00:00:00Z"),
    end_time: at("2026-01-13T00:00:00Z"),
  });
  assert.equal(summaries.data[0].aggregated_value, 10);
});

Deno.test("invalid meter events are accepted and reported in a thin event with their idempotency keys", async () => {
  await using rig = await metered();
  const { stripe, customer, meter } = rig;
  await configure(rig, { meter_report_seconds: 0 });
  await using receiver = startReceiver();
  await stripe.v2.core.eventDestinations.create({
    name: "Meter errors",
    type: "webhook_endpoint",
    event_payload: "thin",
    enabled_events: ["v1.billing.meter.error_report_triggered"],
    webhook_endpoint: { url: receiver.url },
  });
  const payloads: [Record<string, string>, string][] = [
    [{ value: "1" }, "meter_event_no_customer_defined"],
    [{ stripe_customer_id: "cus_unknown", value: "1" }, "meter_event_customer_not_found"],
    [{ stripe_customer_id: customer.id, value: "many" }, "meter_event_invalid_value"],
    [{ stripe_customer_id: customer.id, value: "1234567890123456" }, "meter_event_value_too_many_digits"],
  ];
  for (const [payload, code] of payloads) {
    await stripe.billing.meterEvents.create({ event_name: "chat_message", payload }, {
      idempotencyKey: code,
    });
  }
  const codes = new Set<string>();
  while (codes.size < payloads.length) {
    await rig.simulator.idle();
    await stripe.billing.meters.retrieve(meter.id);
    for (const { id, related_object: related } of thinEvents(receiver.requests)) {
      assert.deepEqual([related.id, related.type], [meter.id, "billing.meter"]);
      const event = await stripe.v2.core.events.retrieve(id);
      assert.ok(event.type === "v1.billing.meter.error_report_triggered");
      for (const { code, sample_errors: [sample] } of event.data.reason.error_types) {
        assert.equal(sample.request.identifier, code);
        codes.add(code);
      }
    }
  }
  assert.deepEqual([...codes].sort(), payloads.map(([, code]) => code).sort());
});

function thinEvents(
  requests: { body: string }[],
): { id: string; related_object: { id: string; type: string } }[] {
  return requests.map(({ body }) => JSON.parse(body));
}

Deno.test("a graduated price bills each unit by its tier", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const meter = await createMeter(stripe);
  const tiered = (tiers: Stripe.PriceCreateParams.Tier[]) =>
    createPro(stripe, {
      recurring: { interval: "month", usage_type: "metered", meter: meter.id },
      unit_amount: undefined,
      billing_scheme: "tiered",
      tiers_mode: "graduated",
      tiers,
    });
  await assert.rejects(tiered([{ up_to: 10, unit_amount: 0 }]), { param: "tiers[0][up_to]" });
  await assert.rejects(
    tiered([{ up_to: 10, unit_amount: 0 }, { up_to: 5, unit_amount: 1 }, { up_to: "inf", unit_amount: 2 }]),
    { param: "tiers[1][up_to]" },
  );
  const price = await tiered([{ up_to: 100, unit_amount: 0 }, { up_to: "inf", unit_amount: 4 }]);
  assert.deepEqual([price.billing_scheme, price.tiers_mode, price.unit_amount], [
    "tiered",
    "graduated",
    null,
  ]);

  const bill = async (value: number) => {
    const customer = await createPayer(rig);
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    });
    await stripe.billing.meterEvents.create({
      event_name: "chat_message",
      payload: { stripe_customer_id: customer.id, value: String(value) },
      timestamp: at("2026-01-10T09:00:00Z"),
    });
    return subscription;
  };
  const [some, more] = [await bill(100), await bill(130)];
  await rig.advanceTo("2026-02-10T12:00:00Z");
  assert.equal(usageLine(await newestInvoice(rig, some), price.id)?.amount, 0);
  assert.equal(usageLine(await newestInvoice(rig, more), price.id)?.amount, 120);
});
