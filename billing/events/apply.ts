import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import { asJson, type Sql } from "../db/sql.ts";
import { isMissing, orStripeUnavailable } from "../stripe.ts";
import {
  type Change,
  type EventRecord,
  type ObjectChange,
  readInvoice,
  readStripeEvent,
  readSubscription,
} from "./read_event.ts";
import { isThinEvent, readThinEvent } from "./thin_event.ts";

export interface ApplyDependencies {
  db: Database;
  stripe: Stripe;
}

const outcomeSchema = z.object({
  outcome: z.enum(["applied", "stale", "parked", "ignored", "duplicate", "failed", "pending"]),
  reason: z.string().nullable(),
  /** Earlier events of the customer can be processed now. */
  leaves_open: z.boolean().nullable(),
});

/** How an event was processed: an outcome of the event log, or `duplicate`. */
export type EventOutcome = Omit<z.output<typeof outcomeSchema>, "leaves_open">;

/** An event of the event log, with its outcome. */
export interface ProcessedEvent extends EventOutcome {
  id: string;
  type: string;
}

/** An event, what it means, and the text it was sent as. */
export interface ReadEvent {
  event: EventRecord;
  change: Change;
  payload: string;
}

/**
 * Records a verified event and applies it. This is one database call, unless the database cannot tell which of two states is
 * newer. Then the current state is fetched from Stripe while the customer is locked, so that no other event is applied in
 * between.
 *
 * Webhook, replay and reconciliation all use this function. `replay` applies an event again, whatever its outcome was.
 * Throws `database_unavailable` or `stripe_unavailable`; the event is not processed then.
 */
export async function applyEvent(
  deps: ApplyDependencies,
  { event, change, payload }: ReadEvent,
  { replay = false } = {},
): Promise<EventOutcome> {
  const { db, stripe } = deps;
  const { leaves_open, ...applied } = await callApply(db, { event, change, payload }, null, replay);
  if (leaves_open) await processOpenEvents(deps, event.customer_id);
  if (applied.outcome !== "pending") return applied;

  const { kind, state } = change as ObjectChange;
  return await withCustomerLocked(db, event.customer_id!, async (transaction) => {
    const current = await fetchCurrent(stripe, kind, state.id);
    const read = { event, change: current.change, payload };
    const { outcome, reason } = await callApply(transaction, read, current.fetchedAt, replay);
    return { outcome, reason };
  });
}

/**
 * Processes the events that are recorded but not processed yet, of one customer or of all (null). Throws like
 * applyEvent().
 */
export async function processOpenEvents(
  deps: ApplyDependencies,
  customerId: string | null,
): Promise<ProcessedEvent[]> {
  const payloads = await callDatabase(
    z.array(z.unknown()),
    deps.db`select billing.open_events(${customerId})`,
  );
  const processed: ProcessedEvent[] = [];
  for (const body of payloads) processed.push(await replayEvent(deps, body));
  return processed;
}

/** Applies an event again, given as Stripe sent it. Throws like applyEvent(), and `z.ZodError` when it is not an event. */
export async function replayEvent(deps: ApplyDependencies, body: unknown): Promise<ProcessedEvent> {
  const payload = JSON.stringify(body);
  const read = isThinEvent(payload) ? await readThinEvent(deps.stripe, body) : readStripeEvent(body);
  const applied = await applyEvent(deps, { ...read, payload }, { replay: true });
  return { id: read.event.id, type: read.event.type, ...applied };
}

/** Runs work in a transaction that holds the customer: no other event, fetch or link of the customer can run meanwhile. */
export function withCustomerLocked<T>(
  db: Database,
  customerId: string,
  work: (transaction: Sql) => Promise<T>,
): Promise<T> {
  return orUnavailable(db.begin(async (transaction) => {
    await transaction`select billing.lock_customer(${customerId})`;
    return await work(transaction);
  }) as Promise<T>);
}

/** Fetches the current state of an object. `fetchedAt` is Stripe's clock at that moment. */
export async function fetchCurrent(
  stripe: Stripe,
  kind: ObjectChange["kind"],
  id: string,
): Promise<{ change: Change; fetchedAt: Date }> {
  try {
    const fetched = await orStripeUnavailable<Stripe.Response<Stripe.Subscription | Stripe.Invoice>>(
      kind === "subscription" ? stripe.subscriptions.retrieve(id) : stripe.invoices.retrieve(id),
    );
    const change: Change = kind === "subscription"
      ? { kind, state: readSubscription(fetched).state }
      : { kind, state: readInvoice(fetched).state };
    return { change, fetchedAt: stripeClock(fetched.lastResponse) };
  } catch (error) {
    if (!isMissing(error)) throw error;
    const detail =
      `An event was about ${id}, which Stripe does not have now. Was it deleted, or is this another account?`;
    return { change: { kind: "anomaly", anomaly: "missing_in_stripe", detail }, fetchedAt: new Date() };
  }
}

/** When Stripe answered, by its own clock: the created times of its events are of that clock, too. */
export function stripeClock({ headers }: { headers: Record<string, string> }): Date {
  const date = new Date(headers.date);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

async function callApply(
  db: Sql,
  { event, change, payload }: ReadEvent,
  fetchedAt: Date | null,
  replay: boolean,
): Promise<z.output<typeof outcomeSchema>> {
  // The payload goes as text: what is stored is what Stripe sent, not how it was read here.
  return await callDatabase(
    outcomeSchema,
    change?.kind === "meter_errors"
      ? db`
        select billing.apply_meter_errors(
          ${asJson(event)}, ${asJson(change)}, ${payload}::text::jsonb, ${replay})`
      : db`
        select billing.apply_stripe_event(
          ${asJson(event)}, ${change && asJson(change)}, ${payload}::text::jsonb, ${fetchedAt}, ${replay})`,
  );
}
