import Stripe from "stripe";
import { z } from "zod";
import {
  type ApplyDependencies,
  applyEvent,
  fetchCurrent,
  type SettledEvent,
  settleOpenEvents,
  whileCustomerIsHeld,
} from "../events/apply.ts";
import { readCheckoutContext } from "../checkout/checkout_context.ts";
import { forgetCustomer } from "../checkout/customer.ts";
import { type Database, orUnavailable } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { communityIdSchema } from "../ids.ts";
import { asJson } from "../db/sql.ts";
import { isMissing, orStripeUnavailable } from "../stripe.ts";
import {
  handledEventTypes,
  type ObjectChange,
  readInvoice,
  readStripeEvent,
  readSubscription,
} from "../events/read_event.ts";

/** An object that was not as Stripe has it. `was` is null when we did not know it. */
export interface Repair {
  kind: ObjectChange["kind"];
  id: string;
  communityId: string;
  was: string | null;
  is: string;
}

export interface OwnedCustomer {
  id: string;
  communityId: string;
}

/** What a reconciliation found and did. */
export interface ReconcileReport {
  /** ISO 8601: events were looked for from here on. */
  eventsFrom: string;
  eventsSeen: number;
  /** They had not reached us. */
  missedEvents: SettledEvent[];
  /** They had, but had not been settled. */
  settledEvents: SettledEvent[];
  objectsCompared: number;
  repairs: Repair[];
  /** Customers that are now known as a community's: the event that said so was lost. */
  linkedCustomers: OwnedCustomer[];
  /** Customers that were deleted in Stripe, and whose community begins with a new one. */
  forgottenCustomers: OwnedCustomer[];
  /** Customers, subscriptions and invoices we have and Stripe does not. */
  missingInStripe: string[];
  /** Objects of a shape we do not know. */
  unreadable: string[];
  expiredCheckoutSessions: string[];
  plansChanged: number;
  payloadsReduced: number;
}

/** Invoices older than this no longer change; open ones are looked at whatever their age. */
const INVOICE_DAYS = 60;
/** Stripe takes at most this many event types in one list, and gives at most so many objects on a page. */
const MAX_TYPES = 20;
const PAGE = 100;

/**
 * Makes what we know equal to what Stripe has, whatever was lost on the way.
 *
 * First the events Stripe still keeps go through the same apply function as the webhook; then the customers are compared
 * with those that communities have; then every subscription of any status and every recent invoice is compared with what
 * is stored, and each that differs is fetched and stored while its customer is held; then what Stripe did not list is
 * asked for one by one. Safe to run twice at once and to be killed at
 * any point: what was repaired stays so, and the next run looks for events from where the last one began that had caught
 * up with them.
 *
 * Throws `database_unavailable` or `stripe_unavailable`.
 */
export async function reconcile(deps: ApplyDependencies): Promise<ReconcileReport> {
  const { db } = deps;
  const startedAt = new Date();
  const { id, events_from } = await resultOf(
    beginSchema,
    db`select billing.begin_reconciliation() as result`,
  );
  const report: ReconcileReport = {
    eventsFrom: new Date(events_from * 1000).toISOString(),
    eventsSeen: 0,
    missedEvents: [],
    settledEvents: [],
    linkedCustomers: [],
    forgottenCustomers: [],
    objectsCompared: 0,
    repairs: [],
    missingInStripe: [],
    unreadable: [],
    expiredCheckoutSessions: [],
    plansChanged: 0,
    payloadsReduced: 0,
  };

  await catchUpOnEvents(deps, events_from, report);
  await orUnavailable(db`select billing.note_caught_up(${id})`);
  await compareCustomers(deps, startedAt, report);
  report.settledEvents = await settleOpenEvents(deps, null);
  await compareSnapshots(deps, report);
  await askForUnconfirmed(deps, startedAt, report);
  await expireLeftOverSessions(deps, report);
  const tidied = await resultOf(tidySchema, db`select billing.tidy_up() as result`);
  report.plansChanged = tidied.plans_changed;
  report.payloadsReduced = tidied.payloads_reduced;

  await orUnavailable(db`select billing.finish_reconciliation(${id}, ${asJson(report)})`);
  return report;
}

const beginSchema = z.object({ id: z.number(), events_from: z.number() });
const customersSchema = z.array(z.object({ id: z.string(), community_id: z.string() }));
const tidySchema = z.object({ plans_changed: z.number(), payloads_reduced: z.number() });
const driftSchema = z.array(z.object({
  kind: z.enum(["subscription", "invoice"]),
  id: z.string(),
  customer_id: z.string().nullable(),
  community_id: z.string(),
  was: z.string().nullable(),
}));
type Drift = z.output<typeof driftSchema>[number];

async function resultOf<T extends z.ZodType>(schema: T, query: Promise<unknown>): Promise<z.output<T>> {
  const [row] = await orUnavailable(query as Promise<[{ result: unknown }]>);
  return schema.parse(row.result);
}

/** Newest first, as Stripe lists them: the order of application does not matter, and nothing need be collected. */
async function catchUpOnEvents(deps: ApplyDependencies, from: number, report: ReconcileReport) {
  for (let first = 0; first < handledEventTypes.length; first += MAX_TYPES) {
    const types = handledEventTypes.slice(first, first + MAX_TYPES);
    await eachPage(
      deps.stripe.events.list({ types, created: { gte: from }, limit: PAGE }),
      async (events) => {
        report.eventsSeen += events.length;
        const ids = events.map(({ id }) => id);
        const unknown = deps.db`select billing.missed_events(${ids}) as result`;
        const missed = new Set(await resultOf(z.array(z.string()), unknown));
        for (const stripeEvent of events.filter(({ id }) => missed.has(id))) {
          const payload = JSON.stringify(stripeEvent);
          const settlement = await applyEvent(deps, { ...readStripeEvent(JSON.parse(payload)), payload });
          // Its delivery may have come in just now.
          if (settlement.outcome !== "duplicate") {
            report.missedEvents.push({ id: stripeEvent.id, type: stripeEvent.type, ...settlement });
          }
        }
      },
    );
  }
}

/** A customer of ours says in its metadata which community it was made for. */
async function compareCustomers(
  { db, stripe }: ApplyDependencies,
  since: Date,
  report: ReconcileReport,
): Promise<void> {
  const strangers: z.output<typeof customersSchema> = [];
  await eachPage(stripe.customers.list({ limit: PAGE }), async (page) => {
    const listed = page.map(({ id, metadata }) => ({
      id,
      community_id: communityIdSchema.safeParse(metadata.community_id).data ?? null,
    }));
    const unknown = db`select billing.compare_customers(${asJson(listed)}) as result`;
    strangers.push(...await resultOf(customersSchema, unknown));
  });

  const unlisted = db`select billing.unconfirmed_customers(${since}) as result`;
  for (const { id, community_id } of await resultOf(customersSchema, unlisted)) {
    const state = await stateOfCustomer(stripe, id);
    if (state === "deleted") {
      await forgetCustomer(db, id, community_id);
      report.forgottenCustomers.push({ id, communityId: community_id });
    } else if (state === "missing") {
      await orUnavailable(db`select billing.report_missing(${id}, ${community_id})`);
      report.missingInStripe.push(id);
    }
  }

  for (const { id, community_id } of strangers) {
    const current = db`select billing.link_customer(${community_id}, ${id}) as result`;
    const isLinked = await resultOf(z.string().nullable(), current) === id;
    if (isLinked) report.linkedCustomers.push({ id, communityId: community_id });
  }
}

/** Those of a test clock are there and not listed. */
async function stateOfCustomer(stripe: Stripe, id: string): Promise<"there" | "deleted" | "missing"> {
  try {
    const { deleted } = await orStripeUnavailable(stripe.customers.retrieve(id));
    return deleted ? "deleted" : "there";
  } catch (error) {
    if (!isMissing(error)) throw error;
    return "missing";
  }
}

/** All statuses, because cancellations are what gets lost. */
async function compareSnapshots(deps: ApplyDependencies, report: ReconcileReport) {
  const { subscriptions, invoices } = deps.stripe;
  const recently = Math.floor(Date.now() / 1000) - INVOICE_DAYS * 86400;
  const compare = (kind: ObjectChange["kind"]) => (page: { id: string }[]) =>
    comparePage(deps, kind, page, report);
  await eachPage(subscriptions.list({ status: "all", limit: PAGE }), compare("subscription"));
  await eachPage(invoices.list({ created: { gte: recently }, limit: PAGE }), compare("invoice"));
  await eachPage(
    invoices.list({ created: { lt: recently }, status: "open", limit: PAGE }),
    compare("invoice"),
  );
}

async function comparePage(
  { db, stripe }: ApplyDependencies,
  kind: ObjectChange["kind"],
  page: { id: string }[],
  report: ReconcileReport,
) {
  const objects = page.filter(hasCustomer).flatMap((object) => {
    try {
      const { customerId, state } = kind === "subscription" ? readSubscription(object) : readInvoice(object);
      return [{ kind, customer_id: customerId, state }];
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      report.unreadable.push(object.id);
      return [];
    }
  });
  report.objectsCompared += objects.length;
  const drift = await resultOf(driftSchema, db`select billing.find_drift(${asJson(objects)}) as result`);
  for (const object of drift) await repair({ db, stripe }, object, report);
}

/** What is billed to an account rather than a customer is not by us. */
const hasCustomer = (object: unknown) => z.object({ customer: z.null() }).safeParse(object).success === false;

/** A list may be behind what a webhook has brought since, so the object itself is asked for, with its customer held. */
async function repair(
  { db, stripe }: ApplyDependencies,
  { kind, id, customer_id, community_id, was }: Drift,
  report: ReconcileReport,
) {
  if (customer_id === null) return;
  await whileCustomerIsHeld(db, customer_id, async (transaction) => {
    const { change, fetchedAt } = await fetchCurrent(stripe, kind, id);
    if (change?.kind !== "subscription" && change?.kind !== "invoice") {
      await transaction`select billing.report_missing(${id}, ${community_id})`;
      report.missingInStripe.push(id);
      return;
    }
    await transaction`
      select billing.apply_fetched(${kind}, ${customer_id}, ${asJson(change.state)}, ${fetchedAt})`;
    report.repairs.push({ kind, id, communityId: community_id, was, is: change.state.status });
  });
}

/** Stripe lists nothing of a test clock, and nothing of another account. */
async function askForUnconfirmed(deps: ApplyDependencies, since: Date, report: ReconcileReport) {
  const query = deps.db`select billing.unconfirmed_objects(${since}) as result`;
  for (const object of await resultOf(driftSchema, query)) await repair(deps, object, report);
}

/** A checkout page that was left open by a community that has a subscription by now could be paid a second time. */
async function expireLeftOverSessions({ db, stripe }: ApplyDependencies, report: ReconcileReport) {
  await eachPage(stripe.checkout.sessions.list({ status: "open", limit: PAGE }), async (sessions) => {
    for (const session of sessions) {
      if (await isLeftOver(db, session)) {
        await expire(stripe, session.id, report);
      }
    }
  });
}

async function isLeftOver(db: Database, session: Stripe.Checkout.Session): Promise<boolean> {
  const communityId = communityIdSchema.safeParse(session.metadata?.community_id).data;
  if (!communityId || session.client_reference_id !== communityId) return false;
  try {
    const { liveSubscription } = await readCheckoutContext(db, communityId, null);
    return liveSubscription !== null;
  } catch (error) {
    if (error instanceof BillingError && error.code === "unknown_community") return false;
    throw error;
  }
}

async function expire(stripe: Stripe, id: string, report: ReconcileReport) {
  try {
    await orStripeUnavailable(stripe.checkout.sessions.expire(id));
    report.expiredCheckoutSessions.push(id);
  } catch (error) {
    // Paid or expired since it was listed.
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
  }
}

/** Page by page through a list of Stripe's (https://docs.stripe.com/api/pagination). */
async function eachPage<T>(
  first: Stripe.ApiListPromise<T>,
  work: (page: T[]) => Promise<void>,
): Promise<void> {
  let page: T[] = [];
  const iterator = first[Symbol.asyncIterator]();
  while (true) {
    const { done, value } = await orStripeUnavailable(iterator.next() as Promise<IteratorResult<T>>);
    if (!done) page.push(value);
    if (page.length === PAGE || (done && page.length > 0)) {
      await work(page);
      page = [];
    }
    if (done) return;
  }
}
