import { z } from "zod";
import { callDatabase } from "../db/database.ts";
import type { Part, Run } from "./run.ts";

/** How many rows one call changes at most, so that none holds many rows or runs long. */
const ROWS = 1000;

/** What is done in the database alone: grace periods end, and what is kept for a time is deleted. */
export function upkeep({ db, report, isFull }: Run): Part[] {
  const parts: Part[] = [
    {
      name: "grace periods",
      async step() {
        const changed = await callDatabase(z.number(), db`select billing.end_grace_periods(${ROWS})`);
        report.plansChanged += changed;
        return changed === ROWS;
      },
    },
    {
      name: "payloads",
      async step() {
        const reduced = await callDatabase(
          z.number(),
          db`select billing.reduce_payloads('90 days', ${ROWS})`,
        );
        report.payloadsReduced += reduced;
        return reduced === ROWS;
      },
    },
    {
      name: "old rows",
      async step() {
        const pruned = await callDatabase(z.number(), db`select billing.prune(${ROWS})`);
        report.rowsPruned += pruned;
        return pruned >= ROWS;
      },
    },
  ];
  return isFull ? [...parts, correctPlans(db, report)] : parts;
}

const correctedSchema = z.object({ changed: z.number(), last: z.string().nullable() });

/** Plans that were changed by hand, of all communities. */
function correctPlans(db: Run["db"], report: Run["report"]): Part {
  let after: string | null = null;
  return {
    name: "current plans",
    async step() {
      const { changed, last } = await callDatabase(
        correctedSchema,
        db`select billing.correct_plans(${after}, ${ROWS})`,
      );
      report.plansChanged += changed;
      after = last;
      return last !== null;
    },
  };
}
