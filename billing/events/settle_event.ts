import type Stripe from "stripe";
import { type Database, orUnavailable } from "../db/database.ts";
import type { Deadline } from "../deadline.ts";
import { askStripe, isMissing } from "../stripe.ts";
import { toPlain } from "./ask_stripe.ts";
import { type EventScope, type IncomingEvent, readStripeEvent } from "./read_event.ts";
import { type EventOutcome, type Question, recordEvents } from "./record_events.ts";
import { type SettledObject, settleObject } from "./settle_object.ts";
import { completeThinEvent } from "./thin_event.ts";

/** What processing an event needs: `isLive` is the mode of the secret key. */
export interface EventDependencies extends EventScope {
  db: Database;
  stripe: Stripe;
}

/** `opens`: its customer was linked, and earlier events of the customer can be settled now. */
export type SettledEvent = EventOutcome & { opens: boolean };

/**
 * Asks Stripe what a recorded event leaves open, and stores the answer. `question`: from recording it a moment ago.
 *
 * Throws Stripe's errors; `z.ZodError` when the answer is not understood; `database_unavailable`.
 */
export async function settleEvent(
  deps: EventDependencies,
  event: IncomingEvent,
  deadline: Deadline,
  question?: Question,
): Promise<SettledEvent> {
  const { kind, object_id: id, customer_id: customerId } = event;
  if ((kind === "subscription" || kind === "invoice") && id !== null) {
    const settled = await settleObject(deps, { kind, id, customerId }, deadline, question);
    return { ...outcomeOf(settled), opens: false };
  }
  const complete = kind === "ask" ? await completeEvent(deps, event, deadline) : event;
  const [{ outcome, reason, opens }] = await recordEvents(deps.db, [complete], { isReplay: true });
  return { outcome, reason, opens };
}

/** The outcome of an event after Stripe was asked about its object. */
export function outcomeOf({ outcome }: SettledObject): EventOutcome {
  switch (outcome) {
    case "applied":
      return { outcome, reason: "settled by asking Stripe" };
    case "parked":
      return { outcome, reason: "no community has this customer yet" };
    case "missing":
      return { outcome: "applied", reason: "Stripe does not know the object any more" };
    case "gone":
      return { outcome: "ignored", reason: "Stripe does not know the object any more" };
    case "changed":
      return { outcome: "pending", reason: "the object changes faster than Stripe can be asked" };
  }
}

/** A thin event, or a checkout session of another shape, as Stripe describes it now. */
async function completeEvent(
  { stripe, isLive }: EventDependencies,
  event: IncomingEvent,
  deadline: Deadline,
): Promise<IncomingEvent> {
  const { id, type, created, livemode, object_id: sessionId } = event;
  if (!sessionId?.startsWith("cs_")) return await completeThinEvent(stripe, event, deadline);
  try {
    const session = await askStripe(
      deadline,
      (options) => stripe.checkout.sessions.retrieve(sessionId, {}, options),
    );
    const body = { id, type, created, livemode, data: { object: toPlain(session) } };
    const read = readStripeEvent(JSON.stringify(body), { isLive });
    // A session that is still of another shape has failed. What is kept is what was delivered.
    const kind = read.kind === "ask" ? "unreadable" : read.kind;
    return { ...read, kind, api_version: event.api_version, payload: event.payload };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { ...event, kind: "record", reason: "Stripe does not know the checkout session" };
  }
}

/** Says that an attempt to settle events failed, and when they are tried again. Throws `database_unavailable`. */
export async function noteFailedAttempt(
  db: Database,
  ids: string[],
  outcome: "pending" | "failed",
  reason: string,
): Promise<void> {
  await orUnavailable(db`select billing.note_failed_attempt(${ids}, ${outcome}, ${reason})`);
}
