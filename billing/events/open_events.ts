import { z } from "zod";
import { callDatabase, orUnavailable } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { refusedByStripe } from "../stripe/refusals.ts";
import { inParallel } from "./in_parallel.ts";
import { type IncomingEvent, kindOfType, readStripeEvent } from "./read_event.ts";
import type { EventOutcome } from "./record_events.ts";
import { type EventDependencies, noteFailedAttempt, settleEvent } from "./settle_event.ts";
import { isThinEvent, readThinEvent } from "./thin_event.ts";

/** An event of the event log, with its outcome. */
export interface ProcessedEvent extends EventOutcome {
  id: string;
  type: string;
}

const claimedSchema = z.array(z.object({
  id: z.string(),
  type: z.string(),
  created: z.number(),
  livemode: z.boolean(),
  api_version: z.string().nullable(),
  customer_id: z.string().nullable(),
  object_id: z.string().nullable(),
  payload: z.string().nullable(),
}));

/** An event as the event log has it: its payload may be gone. */
export type LoggedEvent = z.output<typeof claimedSchema>[number];

/** How many events are claimed at once, and how many objects Stripe is asked about at the same time. */
const CLAIMED = 20;
const AT_ONCE = 4;
/** How long Stripe is asked about one object. */
const ASK_MS = 8_000;

/**
 * Settles the events that are recorded but not processed, and due: those that have waited longest come first. Each is on its
 * own: one that fails goes to the back of the queue, to be tried again later and ever more rarely.
 *
 * Ends when none is due, at the deadline, or when Stripe does not answer at all. Throws `database_unavailable`.
 */
export async function settleOpenEvents(
  deps: EventDependencies,
  deadline: Deadline,
): Promise<ProcessedEvent[]> {
  const processed: ProcessedEvent[] = [];
  while (deadline.remaining > 0) {
    const claimed = await callDatabase(claimedSchema, deps.db`select billing.claim_events(${CLAIMED})`);
    if (claimed.length === 0) break;
    const settled = await settleClaimed(deps, claimed, deadline);
    processed.push(...settled.events);
    if (settled.isStripeAway) break;
  }
  return processed;
}

/** Settles the open events of one customer, due or not. Throws `database_unavailable`. */
export async function settleEventsOf(
  deps: EventDependencies,
  customerId: string,
  deadline: Deadline,
): Promise<ProcessedEvent[]> {
  const claimed = await callDatabase(claimedSchema, deps.db`select billing.claim_events_of(${customerId})`);
  return (await settleClaimed(deps, claimed, deadline)).events;
}

/** Makes every open event and every failed object due, whenever it would have been tried again. */
export async function makeAllDue(deps: EventDependencies): Promise<void> {
  await orUnavailable(deps.db`select billing.make_all_due()`);
}

async function settleClaimed(deps: EventDependencies, claimed: LoggedEvent[], deadline: Deadline) {
  return await settleTogether(deps, claimed.map((logged) => readLoggedEvent(logged, deps)), deadline);
}

/**
 * Settles recorded events. One answer of Stripe's settles all open events of an object. `isStripeAway`: it answered nothing.
 * Throws `database_unavailable`.
 */
export async function settleTogether(
  deps: EventDependencies,
  recorded: IncomingEvent[],
  deadline: Deadline,
): Promise<{ events: ProcessedEvent[]; isStripeAway: boolean }> {
  const groups = new Map<string, IncomingEvent[]>();
  for (const event of recorded) {
    const { kind, object_id } = event;
    const key = kind === "subscription" || kind === "invoice" ? `${kind} ${object_id}` : event.id;
    groups.set(key, [...groups.get(key) ?? [], event]);
  }
  const events: ProcessedEvent[] = [];
  let outages = 0;
  await inParallel(groups.values(), AT_ONCE, async (group) => {
    const { outcome, reason, isOutage } = await settleGroup(deps, group, deadline);
    events.push(...group.map(({ id, type }) => ({ id, type, outcome, reason })));
    if (isOutage) outages++;
  });
  return { events, isStripeAway: outages > 0 && outages === groups.size };
}

async function settleGroup(
  deps: EventDependencies,
  group: IncomingEvent[],
  deadline: Deadline,
): Promise<EventOutcome & { isOutage: boolean }> {
  const ids = group.map(({ id }) => id);
  try {
    const { outcome, reason } = await settleEvent(deps, group[0], Deadline.in(deadline.atMost(ASK_MS)));
    if (outcome === "pending" || outcome === "failed") {
      await noteFailedAttempt(deps.db, ids, outcome, reason ?? "not settled");
    }
    return { outcome, reason, isOutage: false };
  } catch (error) {
    if (error instanceof BillingError && error.code === "database_unavailable") throw error;
    const refused = refusedByStripe(error) ?? (error instanceof BillingError ? error : undefined);
    const isOutage = refused?.code === "stripe_unavailable" || refused?.code === "stripe_busy";
    const outcome = isOutage ? "pending" : "failed";
    const reason = error instanceof z.ZodError
      ? `Stripe's answer is not understood: ${z.prettifyError(error)}`
      : String(error instanceof Error ? error.message : error);
    await noteFailedAttempt(deps.db, ids, outcome, reason);
    return { outcome, reason, isOutage };
  }
}

/** Reads an event of the event log anew. Without its payload, only its object can be asked for. */
export function readLoggedEvent(logged: LoggedEvent, { isLive }: { isLive: boolean }): IncomingEvent {
  const { payload, type, object_id } = logged;
  if (payload !== null) {
    try {
      return isThinEvent(payload) ? readThinEvent(payload, { isLive }) : readStripeEvent(payload, { isLive });
    } catch (error) {
      // It was an event when it was recorded.
      return { ...withoutPayload(logged), kind: "unreadable", reason: String(error) };
    }
  }
  const kind = object_id === null ? "record" : kindOfType(type);
  return { ...withoutPayload(logged), kind };
}

const withoutPayload = (logged: LoggedEvent) => ({
  ...logged,
  account_id: null,
  object_status: null,
  state: null,
  state_hash: null,
  community_id: null,
  reason: null,
});
