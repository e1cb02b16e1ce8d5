import assert from "node:assert/strict";
import Stripe from "stripe";
import { delivery, type EventSeries, eventText, isTie, priceOf, signature } from "./event_series.ts";
import { captureTemplates } from "./templates.ts";

const { subscription, invoice } = await captureTemplates();
const series: EventSeries = { template: subscription, customers: 3, epoch: 1_800_000_000 };
const event = (n: number, of = series) =>
  JSON.parse(eventText(of, n)) as Stripe.CustomerSubscriptionUpdatedEvent;

Deno.test("a series has an id of its own for every event, and goes round the customers", () => {
  const events = [0, 1, 2, 3].map((n) => event(n));
  assert.equal(new Set(events.map(({ id }) => id)).size, 4);
  assert.deepEqual(events.map(({ data }) => data.object.customer), [
    "cus_bench000000",
    "cus_bench000001",
    "cus_bench000002",
    "cus_bench000000",
  ]);
});

Deno.test("every event of a customer is later than the one before it, and has another price and period end", () => {
  const [first, second] = [event(1), event(4)];
  assert.equal(second.created, first.created + 1);
  assert.equal(second.data.object.id, first.data.object.id);
  assert.deepEqual([first, second].map(({ data }) => data.object.items.data[0].price.id), [
    "price_basic",
    "price_pro",
  ]);
  assert.deepEqual([1, 4].map((n) => priceOf(series, n)), ["price_basic", "price_pro"]);
  const ends = [first, second].map(({ data }) => data.object.items.data[0].current_period_end);
  assert.equal(ends[1], ends[0] + 1);
});

Deno.test("a series with step -1 goes back in time", () => {
  const back: EventSeries = { ...series, step: -1 };
  assert.equal(event(4, back).created, event(1, back).created - 1);
});

Deno.test("a tie has the time of the customer's event before it, and another state", () => {
  const tied: EventSeries = { ...series, tieEvery: 3 };
  assert.deepEqual([0, 3, 4, 6].map((n) => isTie(tied, n)), [false, true, false, true]);
  assert.equal(event(3, tied).created, event(0, tied).created);
  assert.notEqual(priceOf(tied, 3), priceOf(tied, 0));
  assert.equal(event(4, tied).created, event(1, tied).created + 1);
});

Deno.test("templates leave no place unfilled, in the shape of the SDK's API version", () => {
  for (const template of [subscription, invoice.replaceAll("@invoice@", "1")]) {
    const text = eventText({ ...series, template }, 5);
    assert.doesNotMatch(text, /@|999999999|KEY/);
    assert.equal(JSON.parse(text).api_version, Stripe.API_VERSION);
  }
});

Deno.test("a delivery is signed as Stripe signs it, over the exact bytes", async () => {
  const body = eventText(series, 0);
  const header = signature(body, "whsec_bench", Math.floor(Date.now() / 1000));
  const read = await Stripe.webhooks.constructEventAsync(body, header, "whsec_bench");
  assert.equal(read.id, "evt_bench0000000000");
  const text = new TextDecoder().decode(delivery(body, { port: 1, path: "/x", secret: "whsec_bench" }));
  assert.ok(text.startsWith("POST /x HTTP/1.1\r\n"));
  assert.ok(text.endsWith(`\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
});
