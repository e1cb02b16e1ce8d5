/** What communities do in a random history, carried out at the Stripe simulator. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BillingError } from "../../billing/errors.ts";
import { idempotencyKey } from "../../billing/stripe/idempotency_key.ts";
import type { Subscription } from "@dues/stripe-simulator";
import { pay } from "@dues/stripe-simulator/testing";
import type { PriceName, Scene } from "./scene.ts";

const DAY = 86_400;

/** Seconds before a step: the same second, the next, or much later. */
const waits = [0, 0, 0, 1, 1, 2, 45, 3600, DAY, 3 * DAY, 4 * DAY, 8 * DAY];

/** Test cards (https://docs.stripe.com/testing). */
const GOOD_CARD = "pm_card_visa";
const BAD_CARD = "pm_card_chargeCustomerFail";

/** Something that happens to a community, with a name so that a failing history can be read. */
const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant("upgrades" as const), plan: fc.constantFrom("pro", "team") }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant("buys at Stripe" as const),
      price: fc.constantFrom<PriceName>("pro", "team", "pro", "team", "unknown"),
      trialDays: fc.constantFrom(0, 0, 1, 10),
      card: fc.constantFrom(GOOD_CARD, GOOD_CARD, BAD_CARD),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant("changes plan" as const), to: fc.constantFrom("pro", "team") }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("cancels at the end" as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("takes the cancellation back" as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("cancels now" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("gets a card" as const),
      card: fc.constantFrom(GOOD_CARD, BAD_CARD),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leaves a checkout open" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("is deleted at Stripe" as const) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("waits" as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

export const communities = ["garden", "chess/club", "läufer"];

/** One step of a history. */
export const step = fc.record({
  community: fc.constantFrom(...communities),
  wait: fc.constantFrom(...waits),
  act,
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** How long the steps take together, in seconds. */
export const durationOf = (steps: Step[]) => steps.reduce((sum, { wait }) => sum + wait, 0);

/** Lets time pass and carries out the act, unless it is impossible in the present state. */
export async function perform(scene: Scene, { community, wait, act }: Step): Promise<void> {
  await scene.pass(wait);
  await carryOut(scene, community, act);
  await scene.pass(0); // what is due at once
}

async function carryOut(scene: Scene, community: string, act: Act): Promise<void> {
  const { stripe, prices } = scene;
  const [live] = liveSubscriptions(scene, community);
  switch (act.does) {
    case "upgrades":
      return await upgrade(scene, community, act.plan);
    case "buys at Stripe":
      return await buyAtStripe(scene, community, act);
    case "changes plan":
      if (!live) return;
      await stripe.subscriptions.update(live.id, {
        items: [{ id: live.items.data[0].id, price: prices[act.to as PriceName] }],
        proration_behavior: "none",
      });
      return;
    case "cancels at the end":
      if (live) await stripe.subscriptions.update(live.id, { cancel_at_period_end: true });
      return;
    case "takes the cancellation back":
      if (live) await stripe.subscriptions.update(live.id, { cancel_at_period_end: false });
      return;
    case "cancels now":
      if (live) await stripe.subscriptions.cancel(live.id);
      return;
    case "gets a card":
      if (live) await giveCard(scene, live, act.card);
      return;
    case "leaves a checkout open":
      return await openCheckout(scene, community, "pro").then(() => {});
    case "is deleted at Stripe": {
      const customer = customerOf(scene, community);
      if (customer && await isLinked(scene, customer)) await stripe.customers.del(customer);
      return;
    }
    case "waits":
  }
}

/** The live subscriptions of a community at Stripe, the oldest first. */
export function liveSubscriptions({ simulator: { account } }: Scene, community: string): Subscription[] {
  const owned = new Set(customersOf(account, community).map(({ id }) => id));
  return account.subscriptions.oldestFirst().filter(({ customer, ended_at, status }) =>
    owned.has(String(customer)) && ended_at === null && !status.startsWith("incomplete")
  );
}

const customersOf = (account: Scene["simulator"]["account"], community: string) =>
  account.customers.oldestFirst().filter(({ metadata }) => metadata.dues_community_id === community);

/** The customer that a community has at Stripe, if any. */
export const customerOf = ({ simulator: { account } }: Scene, community: string) =>
  customersOf(account, community).at(-1)?.id;

/**
 * Whether the customer is linked in the database. A customer that was created outside the product and has paid waits for its
 * `checkout.session.completed`. Using it before that would make a second customer, which is an anomaly and not tested here.
 */
async function isLinked({ stage: { operator } }: Scene, customer: string): Promise<boolean> {
  return (await operator`select from billing.customers where id = ${customer}`).length === 1;
}

/** With the product, as an admin does. Asserts that this makes no second subscription. */
async function upgrade(scene: Scene, community: string, plan: string) {
  const session = await openCheckout(scene, community, plan);
  if (!session) return;
  const before = liveSubscriptions(scene, community).length;
  await pay(scene.simulator, session);
  assert.deepEqual(
    [before, liveSubscriptions(scene, community).length],
    [0, 1],
    "the product sells one subscription",
  );
}

async function openCheckout(scene: Scene, community: string, plan: string): Promise<string | null> {
  const customer = customerOf(scene, community);
  if (customer && !await isLinked(scene, customer)) return null;
  try {
    return (await scene.click(community, plan)).sessionId;
  } catch (error) {
    if (error instanceof BillingError && error.code === "already_subscribed") return null;
    throw error;
  }
}

/** Without the product: by the operator in Stripe's dashboard, or by a server killed before it had linked the customer. */
async function buyAtStripe(
  scene: Scene,
  community: string,
  { price, trialDays, card }: Extract<Act, { does: "buys at Stripe" }>,
) {
  const { stripe, prices, simulator } = scene;
  const customer = customerOf(scene, community) ?? await makeCustomer(scene, community);
  if (customer === null) return;
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    customer,
    client_reference_id: community,
    line_items: [{ price: prices[price], quantity: 1 }],
    metadata: { dues_community_id: community, dues_attempt: "0" },
    subscription_data: {
      metadata: { dues_community_id: community },
      ...(trialDays > 0 ? { trial_period_days: trialDays } : {}),
    },
    success_url: "https://parent.example/",
  });
  try {
    await pay(simulator, session.id, { card: trialDays > 0 ? card : GOOD_CARD });
  } catch {
    // The card was declined: the session stays open.
  }
}

/** As the product creates a community's first customer. Null for a community that has had one. */
async function makeCustomer({ stripe, owners }: Scene, community: string): Promise<string | null> {
  if ([...owners.values()].includes(community)) return null;
  const { id } = await stripe.customers.create(
    { metadata: { dues_community_id: community } },
    { idempotencyKey: idempotencyKey("customer", false, community, 0, 1) },
  );
  return id;
}

/** Charges this card from now on. */
async function giveCard({ stripe }: Scene, subscription: Subscription, card: string) {
  const { id } = await stripe.paymentMethods.attach(card, { customer: String(subscription.customer) });
  await stripe.subscriptions.update(subscription.id, { default_payment_method: id });
}
