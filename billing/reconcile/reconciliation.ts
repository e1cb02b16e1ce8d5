import type Stripe from "stripe";
import { z } from "zod";
import {
  type ApplyDependencies,
  applyEvent,
  fetchCurrent,
  type ProcessedEvent,
  processOpenEvents,
  withCustomerLocked,
} from "../events/apply.ts";
import { readCheckoutContext } from "../checkout/checkout_context.ts";
import { expireCheckoutSession } from "../checkout/checkout_session.ts";
import { forgetCustomer } from "../checkout/customer.ts";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { type CommunityId, communityIdSchema } from "../ids.ts";
import { asJson } from "../db/sql.ts";
import { isMissing, orStripeUnavailable } from "../stripe.ts";
import {
  handledEventTypes,
  type ObjectChange,
  readInvoice,
  readStripeEvent,
  readSubscription,
} from "../events/read_event.ts";

/** An object that was not stored as Stripe has it. `was` and `is` are statuses; `was` is null when it was not stored. */
export interface Repair {
  kind: ObjectChange["kind"];
  id: string;
  communityId: CommunityId;
  was: string | null;
  is: string;
}

export interface OwnedCustomer {
  id: string;
  communityId: CommunityId;
}

/** What a reconciliation found and did. */
export interface ReconcileReport {
  /** ISO 8601. Events were looked for from here on. */
  eventsFrom: string;
  eventsSeen: number;
  /** Events that had not been delivered. */
  missedEvents: ProcessedEvent[];
  /** Events that had been recorded and not processed. */
  processedEvents: ProcessedEvent[];
  objectsCompared: number;
  repairs: Repair[];
  /** Customers that are linked to their community now; the event or call that should have done so was lost. */
  linkedCustomers: OwnedCustomer[];
  /** Customers that were deleted in Stripe. Their communities get new ones. */
  forgottenCustomers: OwnedCustomer[];
  /** Customers, subscriptions and invoices that are stored and that Stripe does not have. */
  missingInStripe: string[];
  /** Objects that were not understood. */
  unreadable: string[];
  expiredCheckoutSessions: string[];
  plansChanged: number;
  payloadsReduced: number;
}

/** Older invoices do not change any more, unless they are open: those are compared whatever their age. */
const INVOICE_DAYS = 60;
/** Stripe accepts at most this many event types in one list (https://docs.stripe.com/api/events/list). */
const MAX_TYPES = 20;
/** The most objects that Stripe returns on a page. */
const PAGE = 100;

/**
 * Makes the stored state equal to Stripe's, whatever was lost.
 *
 * 1. Events that Stripe still keeps and that were never delivered are applied, by the same function as a webhook.
 * 2. Customers are compared with those of the communities.
 * 3. Recorded events that are not processed are tried again.
 * 4. Every subscription, of any status, and every recent invoice is compared with what is stored. Each that differs is
 *    fetched and stored while its customer is locked.
 * 5. What is stored and was not in Stripe's lists is fetched one by one.
 * 6. Open checkout sessions of communities with a subscription are expired, grace periods end, old payloads are reduced.
 *
 * Two runs may overlap, and a run may be killed at any point: its repairs stay, and the next run looks for events from the
 * start of the last run that caught up.
 *
 * Throws `database_unavailable` or `stripe_unavailable`.
 */
export async function reconcile(deps: ApplyDependencies): Promise<ReconcileReport> {
  const { db } = deps;
  const startedAt = new Date();
  const { id, events_from } = await callDatabase(beginSchema, db`select billing.begin_reconciliation()`);
  const report: ReconcileReport = {
    eventsFrom: new Date(events_from * 1000).toISOString(),
    eventsSeen: 0,
    missedEvents: [],
    processedEvents: [],
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
  report.processedEvents = await processOpenEvents(deps, null);
  await compareObjects(deps, report);
  await fetchUnconfirmed(deps, startedAt, report);
  await expireLeftOverSessions(deps, report);
  report.plansChanged = await callDatabase(z.number(), db`select billing.end_grace_periods()`);
  report.payloadsReduced = await callDatabase(z.number(), db`select billing.reduce_payloads()`);

  await orUnavailable(db`select billing.finish_reconciliation(${id}, ${asJson(report)})`);
  return report;
}

const beginSchema = z.object({ id: z.number(), events_from: z.number() });
const customersSchema = z.array(z.object({ id: z.string(), community_id: communityIdSchema }));
const driftSchema = z.array(z.object({
  kind: z.enum(["subscription", "invoice"]),
  id: z.string(),
  customer_id: z.string().nullable(),
  community_id: communityIdSchema,
  was: z.string().nullable(),
}));
type Drift = z.output<typeof driftSchema>[number];

/** Applies events newest first, as Stripe lists them: the order does not matter, so no list has to be collected. */
async function catchUpOnEvents(deps: ApplyDependencies, from: number, report: ReconcileReport) {
  for (let first = 0; first < handledEventTypes.length; first += MAX_TYPES) {
    const types = handledEventTypes.slice(first, first + MAX_TYPES);
    await eachPage(
      deps.stripe.events.list({ types, created: { gte: from }, limit: PAGE }),
      async (events) => {
        report.eventsSeen += events.length;
        const ids = events.map(({ id }) => id);
        const query = deps.db`select billing.missed_events(${ids})`;
        const missed = new Set(await callDatabase(z.array(z.string()), query));
        for (const stripeEvent of events.filter(({ id }) => missed.has(id))) {
          const payload = JSON.stringify(stripeEvent);
          const applied = await applyEvent(deps, { ...readStripeEvent(JSON.parse(payload)), payload });
          // It may have been delivered just now.
          if (applied.outcome !== "duplicate") {
            report.missedEvents.push({ id: stripeEvent.id, type: stripeEvent.type, ...applied });
          }
        }
      },
    );
  }
}

/** The metadata of a customer names the community it was created for. */
async function compareCustomers(
  { db, stripe }: ApplyDependencies,
  since: Date,
  report: ReconcileReport,
): Promise<void> {
  const unlinked: z.output<typeof customersSchema> = [];
  await eachPage(stripe.customers.list({ limit: PAGE }), async (page) => {
    const listed = page.map(({ id, metadata }) => ({
      id,
      community_id: communityIdSchema.safeParse(metadata.community_id).data ?? null,
    }));
    const query = db`select billing.compare_customers(${asJson(listed)})`;
    unlinked.push(...await callDatabase(customersSchema, query));
  });

  const unlisted = db`select billing.unconfirmed_customers(${since})`;
  for (const { id, community_id } of await callDatabase(customersSchema, unlisted)) {
    const state = await stateOfCustomer(stripe, id);
    if (state === "deleted") {
      await forgetCustomer(db, id, community_id);
      report.forgottenCustomers.push({ id, communityId: community_id });
    } else if (state === "missing") {
      await orUnavailable(db`select billing.report_missing(${id}, ${community_id})`);
      report.missingInStripe.push(id);
    }
  }

  for (const { id, community_id } of unlinked) {
    const linked = db`select billing.link_customer(${community_id}, ${id})`;
    if (await callDatabase(z.string().nullable(), linked) === id) {
      report.linkedCustomers.push({ id, communityId: community_id });
    }
  }
}

/** Customers of a test clock exist without being listed (https://docs.stripe.com/api/customers/list). */
async function stateOfCustomer(stripe: Stripe, id: string): Promise<"present" | "deleted" | "missing"> {
  try {
    const { deleted } = await orStripeUnavailable(stripe.customers.retrieve(id));
    return deleted ? "deleted" : "present";
  } catch (error) {
    if (!isMissing(error)) throw error;
    return "missing";
  }
}

/** Subscriptions of all statuses, because a lost cancellation has to be found. */
async function compareObjects(deps: ApplyDependencies, report: ReconcileReport) {
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
  const drift = await callDatabase(driftSchema, db`select billing.find_drift(${asJson(objects)})`);
  for (const object of drift) await repair({ db, stripe }, object, report);
}

/** False for what is billed to an account rather than a customer, so not by this plugin. */
const hasCustomer = (object: unknown) => z.object({ customer: z.null() }).safeParse(object).success === false;

/** A webhook may have brought a newer state than the list, so the object is fetched while its customer is locked. */
async function repair(
  { db, stripe }: ApplyDependencies,
  { kind, id, customer_id, community_id, was }: Drift,
  report: ReconcileReport,
) {
  if (customer_id === null) return;
  await withCustomerLocked(db, customer_id, async (transaction) => {
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

/** Stripe's lists leave out the objects of test clocks, and those of another account. */
async function fetchUnconfirmed(deps: ApplyDependencies, since: Date, report: ReconcileReport) {
  const query = deps.db`select billing.unconfirmed_objects(${since})`;
  for (const object of await callDatabase(driftSchema, query)) await repair(deps, object, report);
}

/** Expires open checkout sessions of communities with a subscription: paying one would be paying a second time. */
async function expireLeftOverSessions({ db, stripe }: ApplyDependencies, report: ReconcileReport) {
  await eachPage(stripe.checkout.sessions.list({ status: "open", limit: PAGE }), async (sessions) => {
    for (const session of sessions) {
      if (await isLeftOver(db, session) && await expireCheckoutSession(stripe, session.id)) {
        report.expiredCheckoutSessions.push(session.id);
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

/** Calls `work` for each page of one of Stripe's lists (https://docs.stripe.com/api/pagination). */
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
