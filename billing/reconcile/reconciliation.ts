import { z } from "zod";
import { callDatabase, orUnavailable } from "../db/database.ts";
import { asJson } from "../db/sql.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { makeAllDue, settleOpenEvents } from "../events/open_events.ts";
import type { EventDependencies } from "../events/settle_event.ts";
import { askForCustomer, askForUnlisted, compareCustomers } from "./compare_customers.ts";
import { askForUnconfirmed, compareObjects, retryFailedObjects } from "./compare_objects.ts";
import { expireLeftOverSessions } from "./left_over_sessions.ts";
import { missedEvents } from "./missed_events.ts";
import { emptyReport, messageOf, type ReconcileReport } from "./report.ts";
import type { Part, Run } from "./run.ts";
import { upkeep } from "./upkeep.ts";

/** A full run has no end but its own. */
const A_DAY_MS = 86_400_000;

export interface ReconcileOptions {
  /** Covers everything now, also what was covered a while ago or is due later only. */
  isFull?: boolean;
  /** The run begins nothing new after so many milliseconds. What is left is for the next run. */
  timeLimit?: number;
}

/**
 * Makes the stored state equal to Stripe's, whatever was lost.
 *
 * 1. Grace periods that are over end, and what is kept for a time is deleted.
 * 2. Recorded events that are not processed are tried again, and objects that failed, as far as they are due.
 * 3. Stripe's lists are read in turns, a page of each: events that were never delivered are applied; customers, subscriptions
 *    of any status, recent and open invoices are compared with what is stored, and each that differs is asked for and stored;
 *    open checkout sessions of communities with a subscription are expired.
 * 4. What is stored and was not in the lists is asked for, one by one.
 *
 * How far each list was read is stored after every page, so a run that ends early, or is killed, loses nothing: the next one
 * goes on. A list is begun anew every hour at most, or in every full run. What fails, a list, an object or an event, holds up
 * nothing else. Two runs may overlap.
 *
 * Throws `database_unavailable`.
 */
export async function reconcile(
  deps: EventDependencies,
  { isFull = false, timeLimit = A_DAY_MS }: ReconcileOptions = {},
): Promise<ReconcileReport> {
  const report = emptyReport();
  const run: Run = { ...deps, report, isFull, deadline: Deadline.in(timeLimit) };
  const id = await callDatabase(z.string(), run.db`select billing.begin_reconciliation()`);

  if (isFull) await makeAllDue(run);
  await inTurns(run, upkeep(run));
  report.processedEvents.push(...await settleOpenEvents(run, run.deadline));
  await inTurns(run, [
    retryFailedObjects(run, (customer) => askForCustomer(run, customer)),
    ...missedEvents(run),
    compareCustomers(run),
    ...compareObjects(run),
    expireLeftOverSessions(run),
  ]);
  await inTurns(run, [askForUnlisted(run), ...askForUnconfirmed(run)]);

  await orUnavailable(run.db`select billing.finish_reconciliation(${id}, ${asJson(report)})`);
  return report;
}

/** Does a step of each part in turn, so that none has to wait for a long one. A part that fails ends, the others go on. */
async function inTurns({ report, deadline }: Run, parts: Part[]): Promise<void> {
  for (let open = parts; open.length > 0;) {
    const left: Part[] = [];
    for (const part of open) {
      if (deadline.remaining === 0) {
        report.isComplete = false;
        return;
      }
      try {
        if (await part.step()) left.push(part);
      } catch (error) {
        if (error instanceof BillingError && error.code === "database_unavailable") throw error;
        report.isComplete = false;
        report.failedParts.push({ part: part.name, error: messageOf(error) });
      }
    }
    open = left;
  }
}
