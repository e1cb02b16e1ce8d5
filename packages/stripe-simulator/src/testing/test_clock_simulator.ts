import type Stripe from "stripe";
import type { BillingSettings } from "../objects/billing_settings.ts";
import { createPro, startSimulator, type TestSimulator } from "./test_simulator.ts";

/** A running simulator with a test clock. */
export interface ClockSimulator extends TestSimulator {
  clock: string;
  /** Advances the clock to a time (ISO 8601 or Unix seconds) and waits until it is ready. */
  advanceTo(moment: string | number): Promise<void>;
}

/** `2026-01-31` or `2026-01-31T10:00:00Z` in Unix seconds. */
export function at(moment: string | number): number {
  return typeof moment === "number" ? moment : Date.parse(moment) / 1000;
}

/** Unix seconds as `2026-01-31T10:00`. */
export function iso(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().slice(0, 16);
}

/** Starts a simulator and creates a test clock that is frozen at a time in ISO 8601. */
export async function startSimulatorWithClock(frozen: string): Promise<ClockSimulator> {
  const rig = await startSimulator();
  const { id: clock } = await rig.stripe.testHelpers.testClocks.create({ frozen_time: at(frozen) });
  return {
    ...rig,
    clock,
    async advanceTo(moment) {
      await rig.stripe.testHelpers.testClocks.advance(clock, { frozen_time: at(moment) });
      if (!await rig.simulator.idle()) throw new Error("The test clock is still advancing.");
      const { status } = await rig.stripe.testHelpers.testClocks.retrieve(clock);
      if (status !== "ready") throw new Error(`The test clock is ${status}: ${rig.log.join("\n")}`);
    },
  };
}

/** Creates a customer on the clock with a default payment method. */
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

/** Creates a customer on the clock with a monthly subscription of 15 dollars. */
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

/** Replaces the customer's default payment method. */
export async function changeCard({ stripe }: TestSimulator, customer: string, card: string): Promise<string> {
  const { id } = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
  return id;
}

/** Changes the simulator's billing settings. */
export async function configure({ simulator }: TestSimulator, settings: Partial<BillingSettings>) {
  const response = await fetch(`${simulator.url}/_sim/settings`, {
    method: "PUT",
    body: JSON.stringify(settings),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
}

const inRealTime = ["plan.", "price.", "product.", "test_helpers."];

/** The events on the clock since a time, oldest first. */
export async function eventsSince(
  { stripe }: TestSimulator,
  since: string | number,
): Promise<Stripe.Event[]> {
  const events = await stripe.events.list({ limit: 100, created: { gte: at(since) } });
  return events.data.filter(({ type }) => !inRealTime.some((start) => type.startsWith(start))).reverse();
}

/** The events on the clock since a time, each as `2026-02-28T11:00 invoice.paid`. */
export async function storySince(rig: TestSimulator, since: string | number): Promise<string[]> {
  return (await eventsSince(rig, since)).map(({ type, created }) => `${iso(created)} ${type}`);
}
