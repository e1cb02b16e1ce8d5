import { type Database, orUnavailable } from "../db/database.ts";
import { refusedByStripe, StripeRefusedError } from "../stripe/refusals.ts";
import type { CheckoutContext } from "./checkout_context.ts";

/** What Stripe is asked for. */
interface Visit {
  asked: "checkout" | "portal";
  context: CheckoutContext;
  /** What is bought, the plan's price first. */
  prices: string[];
}

/**
 * The result of asking Stripe for a page. A refusal is thrown with a code of ours, and as an anomaly the operator sees it
 * until Stripe does the same again. Anything else is thrown as it is.
 */
export async function withRefusalsReported<T>(db: Database, visit: Visit, work: Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work;
  } catch (error) {
    const refusal = error instanceof StripeRefusedError ? error : refusedByStripe(error);
    if (!refusal) throw error;
    await quietly(reportRefusal(db, visit, refusal));
    throw refusal;
  }
  if (visit.context.hasRefusals) await quietly(resolveRefusals(db, visit));
  return result;
}

async function reportRefusal(db: Database, { asked, context, prices }: Visit, refusal: StripeRefusedError) {
  const { code, row: { anomaly, scope }, said } = refusal;
  if (anomaly === null) return;
  const { id } = context.community;
  const detail = `A ${asked} of community ${id} was refused: ${said}`;
  await orUnavailable(db`
    select billing.report_refusal(${anomaly}, ${asked}, ${code}, ${scope}, ${id}, ${prices}, ${detail})`);
}

async function resolveRefusals(db: Database, { asked, context, prices }: Visit) {
  await orUnavailable(db`select billing.resolve_refusals(${asked}, ${context.community.id}, ${prices})`);
}

/** The person gets the same answer, whether or not the operator could be told. */
async function quietly(report: Promise<void>): Promise<void> {
  try {
    await report;
  } catch (error) {
    console.error("Stripe's refusal was not recorded:", error);
  }
}
