import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import type { Deadline } from "../deadline.ts";
import { askForObject } from "./ask_stripe.ts";
import { type ObjectReference, type Question, questionSchema } from "./record_events.ts";
import { storableJson } from "./storable_payload.ts";

const answeredSchema = z.object({
  outcome: z.enum(["applied", "changed", "parked", "missing", "gone"]),
  was: z.string().nullable(),
  is_new: z.boolean(),
  is_open: z.boolean(),
});

/** What came of asking Stripe about an object, as `billing.apply_answer` says; and its status before and now. */
export interface SettledObject {
  /** `changed`: something newer arrived during each of the questions. */
  outcome: z.output<typeof answeredSchema>["outcome"];
  was: string | null;
  is: string | null;
  /** What was stored was not what Stripe answered. */
  isNew: boolean;
}

/** How often Stripe is asked again, because the stored object changed meanwhile. */
const QUESTIONS = 4;

/**
 * Asks Stripe for the current state of an object and stores it. Nothing is locked while Stripe is asked: the answer is stored
 * only if the stored object is still the one it was before the question. It closes every event of the object that was open.
 *
 * `question`: what is known of the object, from a moment ago; without it the database is asked first. Throws as
 * askForObject(), and `database_unavailable`.
 */
export async function settleObject(
  { db, stripe }: { db: Database; stripe: Stripe },
  { kind, id, customerId }: ObjectReference,
  deadline: Deadline,
  question?: Question,
): Promise<SettledObject> {
  for (let asked = 1;; asked++) {
    const before = question ?? await beforeAsking(db, kind, id);
    const { found, answeredAt } = await askForObject(stripe, kind, id, deadline);
    const { outcome, was, is_new: isNew, is_open } = await callDatabase(
      answeredSchema,
      db`select billing.apply_answer(
        ${kind}, ${id}, ${found?.customerId ?? customerId}, ${
        found && storableJson(JSON.stringify(found.state))
      },
        ${found?.hash ?? null}, ${answeredAt}, ${before.asked_at}, ${before.version})`,
    );
    const is = found?.state.status ?? null;
    // Something newer was stored meanwhile. That is enough, unless an event still waits for an answer.
    if (outcome === "changed" && !is_open) return { outcome: "applied", was, is, isNew };
    if (outcome !== "changed" || asked === QUESTIONS) return { outcome, was, is, isNew };
    question = undefined;
  }
}

const beforeAsking = (db: Database, kind: string, id: string): Promise<Question> =>
  callDatabase(questionSchema, db`select billing.before_asking(${kind}, ${id})`);
