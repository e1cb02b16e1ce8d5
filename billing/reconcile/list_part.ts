import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, orUnavailable } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { askStripe, isMissing } from "../stripe.ts";
import type { Part, Run } from "./run.ts";

/** One of Stripe's lists. */
export interface StripeList<T extends { id: string }> {
  name: string;
  /** Objects that are older are left out. A PostgreSQL interval. */
  lookBack?: string;
  /** Only what the last complete round has not read is read again. */
  goesOn?: boolean;
  page: (
    params: { limit: number; starting_after?: string; created?: { gte: number } },
    options: Stripe.RequestOptions,
  ) => Promise<Stripe.ApiList<T>>;
  /** What is done with a page. */
  compare: (objects: T[]) => Promise<void>;
}

const roundSchema = z.object({
  started_at: z.string(),
  after_id: z.string().nullable(),
  since: z.number().nullable(),
}).nullable();

/** The most objects that Stripe returns on a page. */
const PAGE = 100;
/** How long Stripe is asked for a page. */
const PAGE_MS = 20_000;
/** A list is begun anew at the earliest so long after it was begun the last time. A PostgreSQL interval. */
const EVERY = "1 hour";

/**
 * Reads a list page by page, one at each step. How far it has come is stored after each page, so another run goes on there
 * (https://docs.stripe.com/api/pagination). New objects come to the top of the list, so they do not move what follows; they
 * are for the next round.
 */
export function listPart<T extends { id: string }>(
  { db, isFull, deadline }: Run,
  { name, lookBack = undefined, goesOn = false, page, compare }: StripeList<T>,
): Part {
  let round: z.output<typeof roundSchema> | undefined;
  const read = async (after: string | null) => {
    const params = {
      limit: PAGE,
      ...(after === null ? {} : { starting_after: after }),
      ...(round?.since == null ? {} : { created: { gte: round.since } }),
    };
    return await askStripe(Deadline.in(deadline.atMost(PAGE_MS)), (options) => page(params, options));
  };
  return {
    name,
    async step() {
      round ??= await callDatabase(
        roundSchema,
        db`select billing.begin_round(${name}, ${isFull ? null : EVERY}, ${lookBack ?? null}, ${goesOn})`,
      );
      if (round === null) return false;
      const note = (after: string | null) =>
        orUnavailable(db`select billing.note_page(${name}, ${round!.started_at}, ${after})`);
      try {
        const { data, has_more } = await read(round.after_id);
        if (data.length > 0) {
          await compare(data);
          round.after_id = data.at(-1)!.id;
          await note(round.after_id);
        }
        if (has_more && data.length > 0) return true;
        await orUnavailable(db`select billing.complete_round(${name}, ${round.started_at})`);
        return false;
      } catch (error) {
        // The last object of the last page is gone: events are after 30 days.
        if (!isMissing(error) || round.after_id === null) throw error;
        round.after_id = null;
        await note(null);
        return true;
      }
    },
  };
}
