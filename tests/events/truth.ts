/**
 * What the database should contain, derived from the simulator's account without any of the product's code; and what it does
 * contain.
 */
import assert from "node:assert/strict";
import type { Invoice, Subscription } from "@dues/stripe-simulator";
import type { PlanName, Scene } from "./scene.ts";

const HOUR = 3_600_000;
const plans: Record<PlanName, { rank: number; graceHours: number }> = {
  pro: { rank: 10, graceHours: 7 * 24 },
  team: { rank: 20, graceHours: 2 * 24 },
};

export interface Knowledge {
  subscriptions: Record<string, unknown>[];
  invoices: Record<string, unknown>[];
  /** Community to customer. */
  customers: Record<string, string | null>;
  /** Community to plan. */
  plans: Record<string, string>;
}

/** The same, with every plan that a community may have: not all of it follows from Stripe's data alone. */
type Truth = Omit<Knowledge, "plans"> & { plans: Record<string, Set<string>> };

/** What Stripe's data means for these communities. */
function truthOf(scene: Scene, communities: string[]): Truth {
  const { account } = scene.simulator;
  const owner = ({ customer }: { customer: unknown }) => scene.owners.get(String(customer));
  const ofCommunities = <T extends { customer: unknown }>(objects: T[]) =>
    objects.flatMap((object) => {
      const community = owner(object);
      return community === undefined ? [] : [{ object, community }];
    });
  const subscriptions = ofCommunities(account.subscriptions.oldestFirst());
  return {
    subscriptions: subscriptions.map(({ object, community }) => subscriptionRow(scene, community, object)),
    invoices: ofCommunities(account.invoices.oldestFirst()).map(({ object, community }) =>
      invoiceRow(community, object)
    ),
    customers: Object.fromEntries(communities.map((community) => [
      community,
      account.customers.oldestFirst().findLast(({ metadata }) => metadata.dues_community_id === community)
        ?.id ?? null,
    ])),
    plans: Object.fromEntries(communities.map((community) => {
      const own = subscriptions.filter((one) => one.community === community).map(({ object }) => object);
      return [community, plansOf(scene, own)];
    })),
  };
}

const time = (seconds: number | null | undefined) => typeof seconds === "number" ? seconds * 1000 : null;

function subscriptionRow(scene: Scene, community: string, subscription: Subscription) {
  const { data: items } = subscription.items;
  const { id, status, cancel_at, cancel_at_period_end } = subscription;
  const periodEnd = Math.min(...items.map(({ current_period_end }) => current_period_end));
  return {
    id,
    community_id: community,
    plan: soldPlan(scene, subscription),
    items: items.map(({ id, price, quantity }) => `${id} ${price.id} ${quantity ?? null}`).sort(),
    status,
    current_period_start: time(Math.max(...items.map(({ current_period_start }) => current_period_start))),
    current_period_end: time(periodEnd),
    trial_end: time(subscription.trial_end),
    cancel_at: time(cancel_at ?? (cancel_at_period_end ? periodEnd : scheduledEnd(scene, subscription))),
    canceled_at: time(subscription.canceled_at),
    ended_at: time(subscription.ended_at),
    paused_until: subscription.pause_collection
      ? time(subscription.pause_collection.resumes_at)
      : "not paused",
    next_change_at: time(nextPhase(scene, subscription)?.start_date),
    discounts: subscription.discounts.length,
  };
}

function scheduleOf({ simulator: { account } }: Scene, { schedule }: Subscription) {
  const found = schedule === null ? undefined : account.subscriptionSchedules.find(String(schedule));
  return found && (found.status === "active" || found.status === "not_started") ? found : undefined;
}

function nextPhase(scene: Scene, subscription: Subscription) {
  const schedule = scheduleOf(scene, subscription);
  return schedule?.phases.find(({ start_date }) => start_date >= (schedule.current_phase?.end_date ?? 0));
}

function scheduledEnd(scene: Scene, subscription: Subscription): number | null {
  const schedule = scheduleOf(scene, subscription);
  return schedule?.end_behavior === "cancel" ? schedule.phases.at(-1)?.end_date ?? null : null;
}

function invoiceRow(community: string, invoice: Invoice) {
  return {
    id: invoice.id,
    community_id: community,
    subscription_id: invoice.parent?.subscription_details?.subscription ?? null,
    number: invoice.number,
    status: invoice.status,
    total_cents: String(invoice.total),
    amount_due_cents: String(invoice.amount_due),
    amount_paid_cents: String(invoice.amount_paid),
    issued_at: time(invoice.created),
    paid_at: time(invoice.status_transitions.paid_at),
  };
}

/** The plan of highest rank that one of these prices buys. */
function planOfPrices({ prices, formerPrices }: Scene, ids: string[]): PlanName | null {
  const names = ids.flatMap((id): PlanName[] => {
    if (id === prices.pro || id === formerPrices.pro) return ["pro"];
    return id === prices.team ? ["team"] : [];
  });
  return names.sort((a, b) => plans[b].rank - plans[a].rank)[0] ?? null;
}

const soldPlan = (scene: Scene, { items }: Subscription) =>
  planOfPrices(scene, items.data.map(({ price }) => price.id));

/** Of several subscriptions the plan of highest rank counts; without any it is the free plan. */
function plansOf(scene: Scene, subscriptions: Subscription[]): Set<string> {
  const given = subscriptions.map((subscription) => givenPlans(scene, subscription));
  const combinations = given.reduce<(PlanName | null)[][]>(
    (all, options) => all.flatMap((chosen) => [...options].map((option) => [...chosen, option])),
    [[]],
  );
  return new Set(
    combinations.map((chosen) =>
      chosen.filter((plan) => plan !== null).sort((a, b) => plans[b].rank - plans[a].rank)[0] ?? "free"
    ),
  );
}

/** What a subscription may give: null for nothing. */
function givenPlans(scene: Scene, subscription: Subscription): Set<PlanName | null> {
  const { status } = subscription;
  if (status !== "active" && status !== "trialing" && status !== "past_due") return new Set([null]);
  const sold = soldPlan(scene, subscription);
  const paid = paidPlans(scene, subscription);
  if (sold === null) return keptPlans(scene, subscription, paid);
  if (status !== "past_due") return new Set([sold]);
  // The plan that was paid for last, and no more than is sold now.
  const given = paid.size === 0
    ? [sold]
    : [...paid].map((plan) => plans[plan].rank < plans[sold].rank ? plan : sold);
  return new Set(
    given.map((plan) =>
      Date.now() < firstFailure(scene, subscription) + plans[plan].graceHours * HOUR ? plan : null
    ),
  );
}

/**
 * A price that no plan has, on a subscription that had a plan: the plan stays for its grace period. When that began is known
 * from events, and some may be lost, so after the first possible end both are right.
 */
function keptPlans(scene: Scene, subscription: Subscription, paid: Set<PlanName>): Set<PlanName | null> {
  const states = statesOf(scene, subscription);
  const lastKnown = states.findLastIndex(({ object }) => soldPlan(scene, object) !== null);
  if (lastKnown === -1) return new Set([null]);
  const former = new Set([soldPlan(scene, states[lastKnown].object)!, ...paid]);
  const since = states[lastKnown + 1].created * 1000;
  const isLate = [...former].some((plan) => Date.now() >= since + plans[plan].graceHours * HOUR);
  const isUncertain = isLate || subscription.status === "past_due" || paid.size === 0;
  return new Set([...former, ...(isUncertain ? [null] : [])]);
}

/** The plans of the invoice that was paid last; of several of one second, of any of them. */
function paidPlans(scene: Scene, { id }: Subscription): Set<PlanName> {
  const paid = scene.simulator.account.invoices.oldestFirst().flatMap((invoice) => {
    if (invoice.status !== "paid" || invoice.parent?.subscription_details?.subscription !== id) return [];
    const plan = planOfInvoice(scene, invoice);
    return plan === null ? [] : [{ plan, created: invoice.created }];
  });
  const last = Math.max(...paid.map(({ created }) => created));
  return new Set(paid.filter(({ created }) => created === last).map(({ plan }) => plan));
}

/** Lines with a negative amount take something back. */
const planOfInvoice = (scene: Scene, { lines }: Invoice) =>
  planOfPrices(
    scene,
    lines.data.filter(({ amount }) => amount >= 0).map(({ pricing }) =>
      String(pricing?.price_details?.price)
    ),
  );

/** The states of a subscription, as events told them. */
function statesOf({ events }: Scene, { id }: Subscription): { object: Subscription; created: number }[] {
  return events.flatMap(({ data: { object }, created }) =>
    (object as { id: string }).id === id ? [{ object: object as Subscription, created }] : []
  );
}

/** When the subscription last became past_due, in milliseconds. */
function firstFailure(scene: Scene, subscription: Subscription): number {
  const states = statesOf(scene, subscription);
  const before = states.findLastIndex(({ object }) => object.status !== "past_due");
  return states[before + 1].created * 1000;
}

/** What the database contains. */
export async function knowledgeOf({ stage: { operator } }: Scene): Promise<Knowledge> {
  const [subscriptions, invoices, communities] = await Promise.all([
    operator`
      select s.id, s.community_id, p.code as plan, s.status, s.current_period_start,
        (select array_agg(concat_ws(' ', i ->> 'id', i ->> 'price_id', coalesce(i ->> 'quantity', 'null')) order by i ->> 'id')
          from jsonb_array_elements(s.items) i) as items,
        s.current_period_end, s.trial_end, s.cancel_at, s.canceled_at, s.ended_at, s.next_change_at,
        s.pause_collection, jsonb_array_length(s.discounts) as discounts
      from public.subscriptions s left join public.plans p on p.id = s.plan_id`,
    operator`
      select id, community_id, subscription_id, number, status, total_cents, amount_due_cents, amount_paid_cents, issued_at,
        paid_at
      from public.invoices where status <> 'deleted'`,
    operator`
      select c.id, c.stripe_customer_id, p.code as plan
      from public.communities c
      cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
      join public.plans p on p.id = f.plan_id`,
  ]);
  return {
    subscriptions: subscriptions.map(({ pause_collection: pause, items, ...row }) => ({
      ...withMilliseconds(row),
      items: items?.sort(),
      paused_until: pause === null
        ? "not paused"
        : pause.resumes_at === null
        ? null
        : Date.parse(pause.resumes_at),
    })),
    invoices: invoices.map(withMilliseconds),
    customers: Object.fromEntries(communities.map(({ id, stripe_customer_id }) => [id, stripe_customer_id])),
    plans: Object.fromEntries(communities.map(({ id, plan }) => [id, plan])),
  };
}

const withMilliseconds = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
  );

const byId = (rows: Record<string, unknown>[]) =>
  rows.toSorted((a, b) => String(a.id) < String(b.id) ? -1 : 1);

/** Asserts that the database contains what follows from Stripe's data for these communities. */
export async function assertMatchesStripe(
  scene: Scene,
  communities: string[],
  message?: string,
): Promise<void> {
  const truth = truthOf(scene, communities);
  const known = await knowledgeOf(scene);
  assert.deepEqual(byId(known.subscriptions), byId(truth.subscriptions), message);
  assert.deepEqual(byId(known.invoices), byId(truth.invoices), message);
  assert.deepEqual(known.customers, truth.customers, message);
  for (const [community, possible] of Object.entries(truth.plans)) {
    const plan = known.plans[community];
    assert.ok(
      possible.has(plan),
      `${community} has ${plan}, not ${[...possible].join(" or ")}: ${message ?? ""}`,
    );
  }
}
