import type Stripe from "stripe";
import type { BillingSettings } from "../objects/billing_settings.ts";
import { createPro, startSimulator, type TestSimulator } from "./test_simulator.ts";

/** A rig with a test clock. */
export interface ClockSimulator extends TestSimulator {
  clock: string;
  /** Moves the clock to that moment and waits until it has arrived. */
  advanceTo(moment: string | number): Promise<void>;
}

/** `2026-01-31` and `2026-01-31T10:00:00Z` as seconds. */
export function at(moment: string | number): number {
  return typeof moment === "number" ? moment : Date.parse(moment) / 1000;
}

/** Seconds as `2026-01-31T10:00`. */
export function iso(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().slice(0, 16);
}

export async function startSimulatorWithClock(frozen: string): Promise<ClockSimulator> {
  const rig = await startSimulator();
  const { id: clock } = await rig.stripe.testHelpers.testClocks.create({ frozen_time: at(frozen) });
  return {
    ...rig,
    clock,
    async advanceTo(moment) {
      await rig.stripe.testHelpers.testClocks.advance(clock, { frozen_time: at(moment) });
      if (!await rig.simulator.idle()) throw new Error("the clock has not arrived");
      const { status } = await rig.stripe.testHelpers.testClocks.retrieve(clock);
      if (status !== "ready") throw new Error(`the clock is ${status}: ${rig.log.join("\n")}`);
    },
  };
}

/** A customer on the clock whose default card is that one. */
export async function createPayer(
  { stripe, clock }: ClockSimulator,
  card = "pm_card_visa",
  fields: Stripe.CustomerCreateParams = {},
): Promise<Stripe.Customer> {
  return await stripe.customers.create({
    test_clock: clock,
    payment_method: card,
    invoice_settings: { default_payment_method: card },
    ...fields,
  });
}

/** A customer on the clock with a monthly subscription of 15 dollars. */
export async function subscribe(
  rig: ClockSimulator,
  fields: Partial<Stripe.SubscriptionCreateParams> = {},
  card?: string,
) {
  const price = await createPro(rig.stripe);
  const customer = await createPayer(rig, card);
  const subscription = await rig.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    ...fields,
  });
  return { customer, price, subscription };
}

/** Gives the customer another card, which is charged from now on. */
export async function changeCard({ stripe }: TestSimulator, customer: string, card: string): Promise<string> {
  const { id } = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
  return id;
}

/** Sets how failed payments are followed up. */
export async function configure({ simulator }: TestSimulator, settings: Partial<BillingSettings>) {
  const response = await fetch(`${simulator.url}/_sim/settings`, {
    method: "PUT",
    body: JSON.stringify(settings),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
}

const inRealTime = ["price.", "product.", "test_helpers."];

/** What happened on the clock since a moment, oldest first. */
export async function eventsSince(
  { stripe }: TestSimulator,
  since: string | number,
): Promise<Stripe.Event[]> {
  const events = await stripe.events.list({ limit: 100, created: { gte: at(since) } });
  return events.data.filter(({ type }) => !inRealTime.some((start) => type.startsWith(start))).reverse();
}

/** `invoice.paid 2026-02-28T11:00` for each event since a moment. */
export async function storySince(rig: TestSimulator, since: string | number): Promise<string[]> {
  return (await eventsSince(rig, since)).map(({ type, created }) => `${iso(created)} ${type}`);
}
