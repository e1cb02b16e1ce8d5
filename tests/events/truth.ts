/**
 * What the database should contain, derived from the simulator's account without any of the product's code; and what it does
 * contain.
 */
import assert from "node:assert/strict";
import type { Invoice, Subscription } from "@dues/stripe-simulator";
import type { PriceName, Scene } from "./scene.ts";

const HOUR = 3_600_000;
const plans: Record<Exclude<PriceName, "unknown">, { rank: number; graceHours: number }> = {
  pro: { rank: 10, graceHours: 7 * 24 },
  team: { rank: 20, graceHours: 2 * 24 },
};

export interface Knowledge {
  subscriptions: Record<string, unknown>[];
  invoices: Record<string, unknown>[];
  /** Community to customer. */
  customers: Record<string, string | null>;
  /** Community to plan. Without those that do not follow from Stripe's data alone. */
  plans: Record<string, string>;
}

/** What Stripe's data means for these communities. */
function truthOf(scene: Scene, communities: string[]): Knowledge {
  const { account } = scene.simulator;
  const owner = ({ customer }: { customer: unknown }) => scene.owners.get(String(customer))!;
  const subscriptions = account.subscriptions.oldestFirst();
  return {
    subscriptions: subscriptions.map((subscription) =>
      subscriptionRow(scene, owner(subscription), subscription)
    ),
    invoices: account.invoices.oldestFirst().map((invoice) => invoiceRow(owner(invoice), invoice)),
    customers: Object.fromEntries(communities.map((community) => [
      community,
      account.customers.oldestFirst().findLast(({ metadata }) => metadata.dues_community_id === community)
        ?.id ??
        null,
    ])),
    plans: Object.fromEntries(communities.flatMap((community) => {
      const plan = planOf(scene, subscriptions.filter((subscription) => owner(subscription) === community));
      return plan === null ? [] : [[community, plan]];
    })),
  };
}

const time = (seconds: number | null | undefined) => typeof seconds === "number" ? seconds * 1000 : null;

function subscriptionRow(scene: Scene, community: string, subscription: Subscription) {
  const [item] = subscription.items.data;
  const { id, status, cancel_at, cancel_at_period_end } = subscription;
  return {
    id,
    community_id: community,
    plan: nameOfPrice(scene, item.price.id),
    stripe_price_id: item.price.id,
    status,
    current_period_start: time(item.current_period_start),
    current_period_end: time(item.current_period_end),
    trial_end: time(subscription.trial_end),
    cancel_at: time(cancel_at ?? (cancel_at_period_end ? item.current_period_end : null)),
    canceled_at: time(subscription.canceled_at),
    ended_at: time(subscription.ended_at),
  };
}

function invoiceRow(community: string, invoice: Invoice) {
  return {
    id: invoice.id,
    community_id: community,
    subscription_id: invoice.parent?.subscription_details?.subscription ?? null,
    number: invoice.number,
    status: invoice.status,
    amount_due_cents: String(invoice.amount_due),
    amount_paid_cents: String(invoice.amount_paid),
    issued_at: time(invoice.created),
    paid_at: time(invoice.status_transitions.paid_at),
  };
}

function nameOfPrice({ prices }: Scene, id: string): Exclude<PriceName, "unknown"> | null {
  if (id === prices.pro) return "pro";
  return id === prices.team ? "team" : null;
}

/** active and trialing give the plan, past_due within the grace period; the highest rank counts. Null: not known from Stripe. */
function planOf(scene: Scene, subscriptions: Subscription[]): string | null {
  const paid = subscriptions.filter((subscription) => isPaid(scene, subscription));
  if (paid.length === 0) return "free";
  const names = paid.map(({ items }) => nameOfPrice(scene, items.data[0].price.id)).filter((name) =>
    name !== null
  );
  // Only prices of no plan: the community keeps the plan it had, which Stripe does not know.
  if (names.length === 0) return null;
  return names.sort((a, b) => plans[b].rank - plans[a].rank)[0];
}

function isPaid(scene: Scene, { id, status, items }: Subscription): boolean {
  if (status === "active" || status === "trialing") return true;
  if (status !== "past_due") return false;
  const name = nameOfPrice(scene, items.data[0].price.id);
  const grace = name === null ? 7 * 24 : plans[name].graceHours;
  return Date.now() < firstFailure(scene, id) + grace * HOUR;
}

/** When the subscription last became past_due, in milliseconds. */
function firstFailure({ events }: Scene, id: string): number {
  const own = events.filter(({ data: { object } }) => (object as { id: string }).id === id);
  const before = own.findLastIndex(({ data: { object } }) => (object as Subscription).status !== "past_due");
  return own[before + 1].created * 1000;
}

/** What the database contains. */
export async function knowledgeOf({ stage: { operator } }: Scene): Promise<Knowledge> {
  const [subscriptions, invoices, communities] = await Promise.all([
    operator`
      select s.id, s.community_id, p.code as plan, s.stripe_price_id, s.status, s.current_period_start,
        s.current_period_end, s.trial_end, s.cancel_at, s.canceled_at, s.ended_at
      from public.subscriptions s left join public.plans p on p.id = s.plan_id`,
    operator`
      select id, community_id, subscription_id, number, status, amount_due_cents, amount_paid_cents, issued_at, paid_at
      from public.invoices`,
    operator`
      select c.id, c.stripe_customer_id, p.code as plan from public.communities c join public.plans p on p.id = c.current_plan_id`,
  ]);
  return {
    subscriptions: subscriptions.map(withMilliseconds),
    invoices: invoices.map(withMilliseconds),
    customers: Object.fromEntries(communities.map(({ id, stripe_customer_id }) => [id, stripe_customer_id])),
    plans: Object.fromEntries(communities.map(({ id, plan }) => [id, plan])),
  };
}

const withMilliseconds = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
  );

/** In a form that can be compared with another, without plans that the other does not have. */
function comparable(knowledge: Knowledge, { plans }: Knowledge): Knowledge {
  const byId = (rows: Record<string, unknown>[]) =>
    rows.toSorted((a, b) => String(a.id) < String(b.id) ? -1 : 1);
  return {
    subscriptions: byId(knowledge.subscriptions),
    invoices: byId(knowledge.invoices),
    customers: knowledge.customers,
    plans: Object.fromEntries(Object.entries(knowledge.plans).filter(([community]) => community in plans)),
  };
}

/** Asserts that the database contains what follows from Stripe's data for these communities. */
export async function assertMatchesStripe(
  scene: Scene,
  communities: string[],
  message?: string,
): Promise<void> {
  const truth = truthOf(scene, communities);
  assert.deepEqual(comparable(await knowledgeOf(scene), truth), comparable(truth, truth), message);
}
