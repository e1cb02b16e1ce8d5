import Stripe from "stripe";
import { z } from "zod";
import { type Database, isUnstorable } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { processEvent } from "../events/process_event.ts";
import { type IncomingEvent, readStripeEvent } from "../events/read_event.ts";
import { isThinEvent, readThinEvent } from "../events/thin_event.ts";
import { problemOf, problemResponse, RequestFault } from "./problem.ts";
import { readText } from "./request_body.ts";

/** Much more than Stripe's largest events. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Stripe waits some seconds for an answer, and then delivers again (https://docs.stripe.com/webhooks#best-practices). */
const WEBHOOK_MS = 9_000;
/** The maximal age of a signature: Stripe's own default (https://docs.stripe.com/webhooks#verify-events). */
const TOLERANCE_SECONDS = 300;

export interface WebhookDependencies {
  db: Database;
  stripe: Stripe;
  /** Whether the secret key is one of live mode: events of the other mode are refused. */
  isLive: boolean;
  /** The signing secrets; more than one while a secret is being replaced, or with several endpoints. */
  secrets: string[];
}

/**
 * Receives Stripe's webhooks, for the edge function and for `/api/webhooks/stripe`.
 *
 * Verifies the signature over the raw body, reads the event, records and applies it in one database call, and only then
 * answers 200: what is acknowledged is stored. After any other answer Stripe delivers again: 400 for a bad signature or for
 * what is not an event, 405, 413; 422 when the event is recorded and not understood; 503 when the database cannot be reached,
 * or when Stripe has to be asked and does not answer. The event is recorded then, and is also tried again from here.
 */
export function webhookHandler(deps: WebhookDependencies): (request: Request) => Promise<Response> {
  const handle = async (request: Request): Promise<Response> => {
    try {
      if (request.method !== "POST") {
        throw new RequestFault("method_not_allowed", "Stripe sends POST.", { allow: "POST" });
      }
      const payload = await readText(request, MAX_BODY_BYTES);
      await verifySignature(deps, payload, request.headers.get("stripe-signature"));
      const event = readEventOrRefuse(deps, payload);
      const { outcome, reason } = await processEvent(deps, event);
      if (outcome === "failed") {
        console.error(`Stripe event ${event.id} was recorded but not understood: ${reason}`);
        throw new RequestFault("unreadable_event", reason ?? undefined);
      }
      if (outcome === "pending") throw new BillingError("stripe_unavailable", reason ?? "It is tried again.");
      return Response.json({ received: true, outcome, reason });
    } catch (error) {
      if (!isUnstorable(error)) return problemOf(error);
      console.error(error);
      return problemResponse("unreadable_event", "It contains data that the database cannot store.");
    }
  };
  return async (request) => {
    try {
      return await Deadline.in(WEBHOOK_MS).orLate(handle(request), tooLate);
    } catch (error) {
      return problemOf(error);
    }
  };
}

const tooLate = () =>
  new BillingError("request_timed_out", "This took longer than Stripe waits. Send it again.");

const cryptoProvider = Stripe.createSubtleCryptoProvider();

/** Throws `RequestFault` unless one of the secrets matches the body's signature. */
async function verifySignature(
  { stripe, secrets }: WebhookDependencies,
  body: string,
  signature: string | null,
): Promise<void> {
  if (signature === null) {
    throw new RequestFault("invalid_signature", "The header Stripe-Signature is missing.");
  }
  for (const secret of secrets) {
    try {
      if (isThinEvent(body)) {
        await stripe.parseEventNotificationAsync(body, signature, secret, TOLERANCE_SECONDS, cryptoProvider);
      } else {
        await stripe.webhooks.constructEventAsync(body, signature, secret, TOLERANCE_SECONDS, cryptoProvider);
      }
      return;
    } catch (error) {
      // The signature is checked first, so any other error is about a body that Stripe signed.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) {
        throw new RequestFault("invalid_event", error instanceof Error ? error.message : undefined);
      }
    }
  }
  throw new RequestFault("invalid_signature", "No signing secret matches, or the signature is too old.");
}

function readEventOrRefuse(deps: WebhookDependencies, body: string): IncomingEvent {
  try {
    return isThinEvent(body) ? readThinEvent(body, deps) : readStripeEvent(body, deps);
  } catch (error) {
    if (error instanceof z.ZodError) throw new RequestFault("invalid_event", z.prettifyError(error));
    if (error instanceof SyntaxError) throw new RequestFault("invalid_event", error.message);
    throw error;
  }
}
