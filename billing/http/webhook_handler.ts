import Stripe from "stripe";
import { z } from "zod";
import { applyEvent } from "../events/apply.ts";
import { readText } from "./request_body.ts";
import { type Database, isUnstorable } from "../db/database.ts";
import { problemOf, problemResponse, RequestFault } from "./problem.ts";
import { readStripeEvent } from "../events/read_event.ts";
import { isThinEvent, readThinEvent } from "../events/thin_event.ts";

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

/**
 * Receives Stripe's webhooks, for the edge function and for `/api/webhooks/stripe` alike.
 *
 * Verify the signature over the raw body, read the event, record and apply it in one database call, and only then
 * answer 200: what is acknowledged is durable. Every other answer makes Stripe deliver again: 400 bad signature or no
 * event, 405, 413, 422 not understood, 503 database or Stripe away.
 */
export function webhookHandler(deps: WebhookDependencies): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== "POST") {
        throw new RequestFault("method_not_allowed", "Stripe sends POST.", { allow: "POST" });
      }
      const payload = await readText(request, MAX_BODY_BYTES);
      const verified = await verifiedBody(deps, payload, request.headers.get("stripe-signature"));
      const read = await readEventOrRefuse(deps, verified, isThinEvent(payload));
      const settlement = await applyEvent(deps, { ...read, payload });
      if (settlement.outcome === "failed") {
        console.error(`Stripe event ${read.event.id} was recorded but not understood: ${settlement.reason}`);
        throw new RequestFault("unreadable_event", settlement.reason ?? undefined);
      }
      return Response.json({ received: true, ...settlement });
    } catch (error) {
      if (!isUnstorable(error)) return problemOf(error);
      console.error(error);
      return problemResponse("unreadable_event", "It holds what the database cannot store.");
    }
  };
}

const cryptoProvider = Stripe.createSubtleCryptoProvider();

/** The body, parsed, once one of the secrets fits its signature. */
async function verifiedBody(
  { stripe, secrets }: WebhookDependencies,
  body: string,
  signature: string | null,
): Promise<unknown> {
  if (signature === null) {
    throw new RequestFault("invalid_signature", "The header Stripe-Signature is missing.");
  }
  for (const secret of secrets) {
    try {
      return isThinEvent(body)
        ? await stripe.parseEventNotificationAsync(body, signature, secret, TOLERANCE_SECONDS, cryptoProvider)
        : await stripe.webhooks.constructEventAsync(
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

async function readEventOrRefuse({ stripe }: WebhookDependencies, verified: unknown, isThin: boolean) {
  try {
    return isThin ? await readThinEvent(stripe, verified) : readStripeEvent(verified);
  } catch (error) {
    if (error instanceof z.ZodError) throw new RequestFault("invalid_event", z.prettifyError(error));
    throw error;
  }
}
