import Stripe from "stripe";
import { z } from "zod";
import { applyEvent } from "../events/apply.ts";
import { readText } from "./request_body.ts";
import { type Database, isUnstorable } from "../db/database.ts";
import { problemOf, problemResponse, RequestFault } from "./problem.ts";
import { readStripeEvent } from "../events/read_event.ts";
import { isThinEvent, readThinEvent } from "../events/thin_event.ts";

/** Much more than Stripe's largest events. */
const MAX_BODY_BYTES = 1024 * 1024;
/** The maximal age of a signature: Stripe's own default (https://docs.stripe.com/webhooks#verify-events). */
const TOLERANCE_SECONDS = 300;

export interface WebhookDependencies {
  db: Database;
  stripe: Stripe;
  /** The signing secrets; more than one while a secret is being replaced, or with several endpoints. */
  secrets: string[];
}

/**
 * Receives Stripe's webhooks, for the edge function and for `/api/webhooks/stripe`.
 *
 * Verifies the signature over the raw body, reads the event, records and applies it in one database call, and only then
 * answers 200: what is acknowledged is stored. After any other answer Stripe delivers again: 400 for a bad signature or for
 * what is not an event, 405, 413, 422 when the event is not understood, 503 when database or Stripe are unavailable.
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
      const { outcome, reason } = await applyEvent(deps, { ...read, payload });
      if (outcome === "failed") {
        console.error(`Stripe event ${read.event.id} was recorded but not understood: ${reason}`);
        throw new RequestFault("unreadable_event", reason ?? undefined);
      }
      return Response.json({ received: true, outcome, reason });
    } catch (error) {
      if (!isUnstorable(error)) return problemOf(error);
      console.error(error);
      return problemResponse("unreadable_event", "It contains data that the database cannot store.");
    }
  };
}

const cryptoProvider = Stripe.createSubtleCryptoProvider();

/** The parsed body, when one of the secrets matches its signature. Throws `RequestFault`. */
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
      // The signature is checked first, so any other error is about a body that Stripe signed.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) {
        throw new RequestFault("invalid_event", error instanceof Error ? error.message : undefined);
      }
    }
  }
  throw new RequestFault("invalid_signature", "No signing secret matches, or the signature is too old.");
}

async function readEventOrRefuse({ stripe }: WebhookDependencies, verified: unknown, isThin: boolean) {
  try {
    return isThin ? await readThinEvent(stripe, verified) : readStripeEvent(verified);
  } catch (error) {
    if (error instanceof z.ZodError) throw new RequestFault("invalid_event", z.prettifyError(error));
    throw error;
  }
}
