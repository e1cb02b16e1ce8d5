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
      prices: fc.constantFrom<PriceName[]>(
        ["pro"],
        ["team"],
        ["unknown"],
        ["addOn", "pro"],
        ["team", "addOn"],
        ["unknown", "addOn", "pro"],
        ["pro", "team"],
      ),
      quantity: fc.constantFrom(1, 1, 3),
      trialDays: fc.constantFrom(0, 0, 1, 10),
      card: fc.constantFrom(GOOD_CARD, GOOD_CARD, BAD_CARD),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("changes the price" as const),
      to: fc.constantFrom<PriceName | "formerPro">("pro", "team", "formerPro", "unknown"),
      isInvoiced: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("changes the quantity" as const),
      to: fc.constantFrom(1, 2, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("adds an item" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("pauses payments" as const), isPaused: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("schedules a change" as const),
      to: fc.constantFrom<PriceName>("pro", "team", "unknown"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("gets a discount" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("subscribes to something else" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("gets a draft that is deleted" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("sees a stranger subscribe" as const) }) },
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
    case "changes the price":
      if (live && isFree(live)) await changePrice(scene, live, act.to, act.isInvoiced);
      return;
    case "changes the quantity":
      if (!live || !isFree(live)) return;
      await stripe.subscriptions.update(live.id, {
        items: [{ id: live.items.data[0].id, quantity: act.to }],
        proration_behavior: "none",
      });
      return;
    case "adds an item":
      if (!live || !isFree(live) || sells(live, prices.addOn)) return;
      await stripe.subscriptionItems.create({
        subscription: live.id,
        price: prices.addOn,
        proration_behavior: "none",
      });
      return;
    case "pauses payments":
      if (!live || !isFree(live)) return;
      await stripe.subscriptions.update(live.id, {
        pause_collection: act.isPaused ? { behavior: "void", resumes_at: scene.now() + 5 * DAY } : "",
      });
      return;
    case "schedules a change":
      if (live && isFree(live)) await scheduleChange(scene, live, prices[act.to]);
      return;
    case "gets a discount": {
      if (!live || !isFree(live)) return;
      const { id } = await stripe.coupons.create({ name: "Spring", percent_off: 20, duration: "forever" });
      await stripe.subscriptions.update(live.id, { discounts: [{ coupon: id }] });
      return;
    }
    case "subscribes to something else":
      if (live) await subscribeToSomethingElse(scene, String(live.customer));
      return;
    case "gets a draft that is deleted": {
      const customer = customerOf(scene, community);
      if (!customer) return;
      const { id } = await stripe.invoices.create({ customer });
      await stripe.invoices.del(id);
      return;
    }
    case "sees a stranger subscribe": {
      const { id } = await stripe.customers.create({ metadata: { community_id: community } });
      return await subscribeToSomethingElse(scene, id, prices.pro);
    }
    case "cancels at the end":
      if (live && isFree(live)) await stripe.subscriptions.update(live.id, { cancel_at_period_end: true });
      return;
    case "takes the cancellation back":
      if (live && isFree(live)) await stripe.subscriptions.update(live.id, { cancel_at_period_end: false });
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

/** The live subscriptions of a community at Stripe, except those that sell add-ons only; the oldest first. */
export function liveSubscriptions(
  { simulator: { account }, prices }: Scene,
  community: string,
): Subscription[] {
  const owned = new Set(customersOf(account, community).map(({ id }) => id));
  return account.subscriptions.oldestFirst().filter(({ customer, ended_at, status, items }) =>
    owned.has(String(customer)) && ended_at === null && !status.startsWith("incomplete") &&
    items.data.some(({ price }) => price.id !== prices.addOn)
  );
}

const sells = ({ items }: Subscription, price: string) => items.data.some((item) => item.price.id === price);

/** Stripe refuses changes of what a schedule controls, of a change that waits for its payment, and of what will be void. */
const isFree = ({ schedule, pending_update, status }: Subscription) =>
  schedule === null && pending_update === null && status !== "paused" && status !== "unpaid";

/** Of the first item. With an invoice at once, the change may fail to be paid. */
async function changePrice(
  { stripe, prices, formerPrices }: Scene,
  live: Subscription,
  to: PriceName | "formerPro",
  isInvoiced: boolean,
) {
  const price = to === "formerPro" ? formerPrices.pro : prices[to];
  if (sells(live, price)) return;
  await stripe.subscriptions.update(live.id, {
    items: [{ id: live.items.data[0].id, price }],
    proration_behavior: isInvoiced ? "always_invoice" : "none",
    payment_behavior: "allow_incomplete",
  });
}

/** At the end of the period. */
async function scheduleChange({ stripe }: Scene, live: Subscription, price: string) {
  if (live.cancel_at !== null || live.cancel_at_period_end) return;
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: live.id });
  const [current] = schedule.phases;
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: current.items.map(({ price, quantity }) => ({ price: String(price), quantity })),
        start_date: current.start_date,
        end_date: current.end_date,
      },
      { items: [{ price, quantity: 1 }], duration: { interval: "week" }, proration_behavior: "none" },
    ],
  });
}

async function subscribeToSomethingElse({ stripe, prices }: Scene, customer: string, price = prices.addOn) {
  const { id } = await stripe.paymentMethods.attach(GOOD_CARD, { customer });
  await stripe.subscriptions.create({ customer, items: [{ price }], default_payment_method: id });
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

/** How many live subscriptions sell a plan. */
const plansSold = (scene: Scene, community: string) =>
  liveSubscriptions(scene, community).filter((subscription) =>
    [scene.prices.pro, scene.prices.team, scene.formerPrices.pro].some((price) => sells(subscription, price))
  ).length;

/** With the product, as an admin does. Asserts that this makes no second subscription. */
async function upgrade(scene: Scene, community: string, plan: string) {
  const session = await openCheckout(scene, community, plan);
  if (!session) return;
  const before = plansSold(scene, community);
  await pay(scene.simulator, session);
  assert.deepEqual([before, plansSold(scene, community)], [0, 1], "the product sells one subscription");
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
  { prices: names, quantity, trialDays, card }: Extract<Act, { does: "buys at Stripe" }>,
) {
  const { stripe, prices, simulator } = scene;
  const customer = customerOf(scene, community) ?? await makeCustomer(scene, community);
  if (customer === null) return;
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    customer,
    client_reference_id: community,
    line_items: names.map((name) => ({ price: prices[name], quantity })),
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
