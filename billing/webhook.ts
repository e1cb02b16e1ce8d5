import type postgres from "postgres";
import Stripe from "stripe";
import { z } from "zod";
import { readText } from "./body.ts";
import { type Database, orUnavailable } from "./database.ts";
import { problemOf, RequestFault } from "./problem.ts";
import { orStripeUnavailable } from "./stripe.ts";
import { type Change, type EventRecord, readStripeEvent, readSubscription } from "./stripe_event.ts";

/** Stripe's largest events are far below this. */
const MAX_BODY_BYTES = 1024 * 1024;
/** How old a signature may be: Stripe's own default (https://docs.stripe.com/webhooks#verify-events). */
const TOLERANCE_SECONDS = 300;

export interface WebhookDependencies {
  db: Database;
  stripe: Stripe;
  /** Every secret a delivery may be signed with; more than one while a secret is being replaced. */
  secrets: string[];
}

/** What became of a delivery: an outcome of the ledger, or `duplicate`. */
interface Settlement {
  outcome: "applied" | "stale" | "parked" | "ignored" | "duplicate" | "failed" | "pending";
  reason: string | null;
}

/**
 * Receives Stripe's webhooks, for the edge function and for `/api/webhooks/stripe` alike.
 *
 * Verify the signature over the raw body, read the event, record and apply it in one database call, and only then
 * answer 200: what is acknowledged is durable. Every other answer makes Stripe deliver again: 400 bad signature or no
 * event, 405, 413, 503 database or Stripe away, 500 not understood.
 */
export function webhookHandler(deps: WebhookDependencies): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== "POST") {
        throw new RequestFault("method_not_allowed", "Stripe sends POST.", { allow: "POST" });
      }
      const body = await readText(request, MAX_BODY_BYTES);
      const verified = await verifiedEvent(deps, body, request.headers.get("stripe-signature"));
      const settlement = await settleEvent(deps, verified, body);
      if (settlement.outcome === "failed") {
        throw new Error(`Stripe event recorded but not understood: ${settlement.reason}`);
      }
      return Response.json({ received: true, ...settlement });
    } catch (error) {
      return problemOf(error);
    }
  };
}

const cryptoProvider = Stripe.createSubtleCryptoProvider();

async function verifiedEvent(
  { stripe, secrets }: WebhookDependencies,
  body: string,
  signature: string | null,
) {
  if (signature === null) {
    throw new RequestFault("invalid_signature", "The header Stripe-Signature is missing.");
  }
  for (const secret of secrets) {
    try {
      return await stripe.webhooks.constructEventAsync(
        body,
        signature,
        secret,
        TOLERANCE_SECONDS,
        cryptoProvider,
      );
    } catch (error) {
      // The signature is checked first, so any other failure is about a body that Stripe did sign.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) {
        throw new RequestFault("invalid_event", error instanceof Error ? error.message : undefined);
      }
    }
  }
  throw new RequestFault("invalid_signature", "No signing secret fits, or the signature is too old.");
}

/**
 * Records a verified event and applies it. One database call, unless two states of a subscription fall into the same
 * second: then Stripe is asked which is current, while nobody else may touch that customer.
 */
async function settleEvent(
  deps: WebhookDependencies,
  verified: Stripe.Event,
  body: string,
): Promise<Settlement> {
  const { event, change } = readEventOrRefuse(verified);
  const settlement = await applyEvent(deps.db, event, change, body);
  if (settlement.outcome !== "pending") return settlement;

  return await orUnavailable(deps.db.begin(async (transaction) => {
    await transaction`select billing.lock_customer(${event.customer_id})`;
    const fetched = await orStripeUnavailable(deps.stripe.subscriptions.retrieve(event.object_id!));
    const current: Change = { kind: "subscription", subscription: readSubscription(fetched).state };
    return await applyEvent(transaction, event, current, body, stripeClock(fetched.lastResponse));
  }));
}

function readEventOrRefuse(verified: Stripe.Event) {
  try {
    return readStripeEvent(verified);
  } catch (error) {
    if (error instanceof z.ZodError) throw new RequestFault("invalid_event", z.prettifyError(error));
    throw error;
  }
}

/** When Stripe answered, by its own clock; ours may differ from the one its events are stamped with. */
function stripeClock({ headers }: { headers: Record<string, string> }): Date {
  const date = new Date(headers.date);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

async function applyEvent(
  db: postgres.ISql,
  event: EventRecord,
  change: Change,
  body: string,
  fetchedAt: Date | null = null,
): Promise<Settlement> {
  // The body goes as text: what is kept is what Stripe sent, not our reading of it.
  const [{ settlement }] = await orUnavailable(
    db<[{ settlement: Settlement }]>`
      select billing.apply_stripe_event(
        ${db.json(event)}, ${change && db.json(change)}, ${body}::text::jsonb, ${fetchedAt}
      ) as settlement`,
  );
  return settlement;
}
