import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { settleEventsOf, settleTogether } from "../events/open_events.ts";
import { handledEventTypes, type IncomingEvent, readStripeEvent } from "../events/read_event.ts";
import { recordEvents } from "../events/record_events.ts";
import { listPart } from "./list_part.ts";
import { messageOf } from "./report.ts";
import type { Part, Run } from "./run.ts";

/** Stripe accepts at most this many event types in one list (https://docs.stripe.com/api/events/list). */
const MAX_TYPES = 20;
/** How long Stripe keeps events. */
const KEPT = "30 days";
/** How long Stripe is asked about the events of one page. */
const SETTLE_MS = 60_000;

/** Looks for events that Stripe still keeps and that were never delivered, and applies them. */
export function missedEvents(run: Run): Part[] {
  const parts: Part[] = [];
  for (let first = 0; first < handledEventTypes.length; first += MAX_TYPES) {
    const types = handledEventTypes.slice(first, first + MAX_TYPES);
    parts.push(listPart<Stripe.Event>(run, {
      name: `events:${first / MAX_TYPES}`,
      lookBack: KEPT,
      goesOn: true,
      page: (params, options) => run.stripe.events.list({ ...params, types }, options),
      compare: (events) => applyMissed(run, events),
    }));
  }
  return parts;
}

/** In the order in which Stripe lists them, newest first: the order does not matter. */
async function applyMissed(run: Run, events: Stripe.Event[]): Promise<void> {
  const { db, report } = run;
  report.eventsSeen += events.length;
  const ids = events.map(({ id }) => id);
  const missed = new Set(await callDatabase(z.array(z.string()), db`select billing.missed_events(${ids})`));
  const pending: IncomingEvent[] = [];
  const linked = new Set<string>();
  for (const stripeEvent of events.filter(({ id }) => missed.has(id))) {
    const { id, type } = stripeEvent;
    let event: IncomingEvent;
    try {
      event = readStripeEvent(JSON.stringify(stripeEvent), run, { isListed: true });
    } catch (error) {
      report.failedObjects.push({ id, error: messageOf(error) });
      continue;
    }
    const [{ outcome, reason, opens }] = await recordEvents(db, [event]);
    if (opens) linked.add(event.customer_id!);
    if (outcome === "pending") pending.push(event);
    // It may have been delivered just now.
    else if (outcome !== "duplicate") report.missedEvents.push({ id, type, outcome, reason });
  }
  const deadline = Deadline.in(SETTLE_MS);
  report.missedEvents.push(...(await settleTogether(run, pending, deadline)).events);
  for (const customer of linked) {
    report.processedEvents.push(...await settleEventsOf(run, customer, deadline));
  }
}
