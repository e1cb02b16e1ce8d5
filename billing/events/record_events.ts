import { z } from "zod";
import { callDatabase, type Database, isUnstorable } from "../db/database.ts";
import type { IncomingEvent, ObjectKind } from "./read_event.ts";
import { storableJson } from "./storable_payload.ts";

/** How an event was processed: an outcome of the event log, or `duplicate`. */
export interface EventOutcome {
  outcome:
    | "applied"
    | "stale"
    | "parked"
    | "ignored"
    | "refused"
    | "duplicate"
    | "pending"
    | "failed"
    | "given_up";
  reason: string | null;
}

/** What has to be known of an object before Stripe is asked about it. */
export const questionSchema = z.object({ version: z.number(), asked_at: z.string() });
export type Question = z.output<typeof questionSchema>;

const recordedSchema = z.array(z.object({
  id: z.string(),
  outcome: z.enum(["applied", "stale", "parked", "ignored", "refused", "duplicate", "pending", "failed"]),
  reason: z.string().nullable(),
  version: z.number(),
  asked_at: z.string().nullable(),
  opens: z.boolean(),
}));

/** An event's outcome. `pending`: Stripe has to be asked, beginning with `question`. */
export interface RecordedEvent extends EventOutcome {
  id: string;
  question: Question | null;
  /** Its customer was linked, and earlier events of the customer can be settled now. */
  opens: boolean;
}

/**
 * Records verified events and applies them, in one transaction: `billing.process_events`. Several events are given only if no
 * two are of the same customer or object. `isReplay`: they are not delivered now, and are applied whatever their outcome was.
 *
 * An event that cannot be stored, for instance because it is nested too deeply for the database, is recorded without its
 * contents. Resolves to the outcomes in the order given. Throws `database_unavailable`; nothing is recorded then.
 */
export async function recordEvents(
  db: Database,
  events: IncomingEvent[],
  { isReplay = false } = {},
): Promise<RecordedEvent[]> {
  try {
    const text = `[${events.map(asParameter).join()}]`;
    const recorded = await callDatabase(
      recordedSchema,
      db`select billing.process_events(${text}, ${isReplay})`,
    );
    const byId = new Map(recorded.map((one) => [one.id, one]));
    return events.map(({ id }) => {
      const { version, asked_at, ...one } = byId.get(id)!;
      return { ...one, question: asked_at === null ? null : { version, asked_at } };
    });
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    if (events.length > 1) {
      return await Promise.all(
        events.map(async (event) => (await recordEvents(db, [event], { isReplay }))[0]),
      );
    }
    const [event] = events;
    if (event.payload === null && event.state === null) throw error;
    return await recordEvents(db, [withoutContents(event, String(error))], { isReplay });
  }
}

/** The payload goes as the text it is, so that what is stored is what Stripe sent. */
function asParameter({ payload, ...event }: IncomingEvent): string {
  const json = storableJson(JSON.stringify(event));
  return payload === null ? json : `${json.slice(0, -1)},"payload":${payload}}`;
}

function withoutContents(event: IncomingEvent, why: string): IncomingEvent {
  const reason = [event.reason, `it could not be stored as it is: ${why}`].filter((part) => part).join("; ");
  const isOfObject = event.kind === "subscription" || event.kind === "invoice";
  return {
    ...event,
    ...(isOfObject || event.state === null ? {} : { kind: "unreadable" }),
    state: null,
    state_hash: null,
    object_status: null,
    payload: null,
    reason,
  };
}

/** What is asked of an event that has only been recorded. */
export interface ObjectReference {
  kind: ObjectKind;
  id: string;
  /** Null when it is not known. */
  customerId: string | null;
}
