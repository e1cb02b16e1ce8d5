import { z } from "zod";
import { Deadline } from "../deadline.ts";
import { refusedByStripe } from "../stripe/refusals.ts";
import { settleEventsOf } from "./open_events.ts";
import type { IncomingEvent } from "./read_event.ts";
import { type EventOutcome, type RecordedEvent, recordEvents } from "./record_events.ts";
import { type EventDependencies, noteFailedAttempt, settleEvent } from "./settle_event.ts";

/** How long Stripe is asked about one event. Stripe waits some seconds for the answer to a webhook. */
const ASK_MS = 4_000;

export interface ProcessOptions {
  isReplay?: boolean;
  deadline?: Deadline;
  /** How the event is recorded: by itself, unless said otherwise. */
  record?: (event: IncomingEvent) => Promise<RecordedEvent>;
}

/**
 * Records a verified event and applies it. This is one database call. When only Stripe knows the current state of the object,
 * or what the event means, the event is recorded as pending and Stripe is asked, with nothing locked.
 *
 * Webhook, replay and reconciliation all use this function. `isReplay` applies an event again, whatever its outcome was. Throws
 * `database_unavailable`: the event may not be recorded then; and what refusedByStripe() says: the event is pending then, and
 * is tried again by settleOpenEvents().
 */
export async function processEvent(
  deps: EventDependencies,
  event: IncomingEvent,
  { isReplay = false, deadline, record }: ProcessOptions = {},
): Promise<EventOutcome> {
  const recorded = record ? await record(event) : (await recordEvents(deps.db, [event], { isReplay }))[0];
  return await finishRecorded(deps, event, recorded, deadline);
}

/** Does what is left to do after an event was recorded: asks Stripe. Throws like processEvent(). */
async function finishRecorded(
  deps: EventDependencies,
  event: IncomingEvent,
  { outcome, reason, question, opens }: RecordedEvent,
  deadline = Deadline.in(ASK_MS),
): Promise<EventOutcome> {
  if (outcome !== "pending") {
    if (opens) await settleEventsOf(deps, event.customer_id!, deadline);
    return { outcome, reason };
  }
  try {
    const settled = await settleEvent(deps, event, deadline, question ?? undefined);
    if (settled.opens) await settleEventsOf(deps, event.customer_id!, deadline);
    return { outcome: settled.outcome, reason: settled.reason };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw refusedByStripe(error) ?? error;
    const unreadable = `Stripe's answer is not understood: ${z.prettifyError(error)}`;
    await noteFailedAttempt(deps.db, [event.id], "failed", unreadable);
    return { outcome: "failed", reason: unreadable };
  }
}
