import type Stripe from "stripe";
import { z } from "zod";
import { type Database, orUnavailable } from "../db/database.ts";
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

/** What became of an event: an outcome of the ledger, or `duplicate`. */
export interface Settlement {
  outcome: "applied" | "stale" | "parked" | "ignored" | "duplicate" | "failed" | "pending";
  reason: string | null;
}

/** An event of the ledger, and what came of it. */
export interface SettledEvent extends Settlement {
  id: string;
  type: string;
}

/** An event, what it means, and the text it came as. */
export interface ReadEvent {
  event: EventRecord;
  change: Change;
  payload: string;
}

/**
 * Records a verified event and applies it. One database call, unless the database cannot tell which of two states is
 * newer: then Stripe is asked, while nobody else may touch that customer, so that nothing overtakes the answer.
 *
 * The webhook, the replay and the reconciliation all come through here. `replay` applies an event anew, whatever came of
 * it before. Throws `database_unavailable` or `stripe_unavailable`; nothing is settled then.
 */
export async function applyEvent(
  deps: ApplyDependencies,
  { event, change, payload }: ReadEvent,
  { replay = false } = {},
): Promise<Settlement> {
  const { db, stripe } = deps;
  const { leaves_open, ...settlement } = await callApply(db, { event, change, payload }, null, replay);
  if (leaves_open) await settleOpenEvents(deps, event.customer_id);
  if (settlement.outcome !== "pending") return settlement;

  const { kind, state } = change as ObjectChange;
  return await whileCustomerIsHeld(db, event.customer_id!, async (transaction) => {
    const current = await fetchCurrent(stripe, kind, state.id);
    const read = { event, change: current.change, payload };
    const { outcome, reason } = await callApply(transaction, read, current.fetchedAt, replay);
    return { outcome, reason };
  });
}

/**
 * Tries anew the events that were recorded but could not be settled then, of one customer or of all (null). Throws like
 * applyEvent().
 */
export async function settleOpenEvents(
  deps: ApplyDependencies,
  customerId: string | null,
): Promise<SettledEvent[]> {
  const [{ payloads }] = await orUnavailable(
    deps.db<[{ payloads: unknown }]>`select billing.open_events(${customerId}) as payloads`,
  );
  const settled: SettledEvent[] = [];
  for (const body of z.array(z.unknown()).parse(payloads)) settled.push(await replayEvent(deps, body));
  return settled;
}

/** Applies an event of the ledger, given as it was sent, anew. Throws like applyEvent(), and `z.ZodError` when it is none. */
export async function replayEvent(deps: ApplyDependencies, body: unknown): Promise<SettledEvent> {
  const payload = JSON.stringify(body);
  const read = isThinEvent(payload) ? await readThinEvent(deps.stripe, body) : readStripeEvent(body);
  const settlement = await applyEvent(deps, { ...read, payload }, { replay: true });
  return { id: read.event.id, type: read.event.type, ...settlement };
}

/** Runs work in a transaction in which no other event, fetch or link of this customer can come between. */
export function whileCustomerIsHeld<T>(
  db: Database,
  customerId: string,
  work: (transaction: Sql) => Promise<T>,
): Promise<T> {
  return orUnavailable(db.begin(async (transaction) => {
    await transaction`select billing.lock_customer(${customerId})`;
    return await work(transaction);
  }) as Promise<T>);
}

/** What Stripe says an object is, at this moment of Stripe's own clock. */
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
      `Stripe told us of ${id} and now does not know it. Was it deleted, or is this another account?`;
    return { change: { kind: "anomaly", anomaly: "missing_in_stripe", detail }, fetchedAt: new Date() };
  }
}

/** When Stripe answered, by its own clock; ours may differ from the one its events are stamped with. */
export function stripeClock({ headers }: { headers: Record<string, string> }): Date {
  const date = new Date(headers.date);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

/** `leaves_open`: earlier events of the customer can be settled now. */
type Applied = Settlement & { leaves_open: boolean | null };

async function callApply(
  db: Sql,
  { event, change, payload }: ReadEvent,
  fetchedAt: Date | null,
  replay: boolean,
): Promise<Applied> {
  // The payload goes as text: what is kept is what Stripe sent, not our reading of it.
  const [{ settlement }] = await orUnavailable(
    change?.kind === "meter_errors"
      ? db<[{ settlement: Applied }]>`
        select billing.apply_meter_errors(
          ${asJson(event)}, ${asJson(change)}, ${payload}::text::jsonb, ${replay}
        ) as settlement`
      : db<[{ settlement: Applied }]>`
        select billing.apply_stripe_event(
          ${asJson(event)}, ${change && asJson(change)}, ${payload}::text::jsonb, ${fetchedAt}, ${replay}
        ) as settlement`,
  );
  return settlement;
}
