import type Stripe from "stripe";
import { z } from "zod";
import { type Database, isUnstorable } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { EventBatches } from "../events/event_batches.ts";
import { processEvent } from "../events/process_event.ts";
import { type IncomingEvent, readStripeEvent } from "../events/read_event.ts";
import { isThinEvent, readThinEvent } from "../events/thin_event.ts";
import { telemetry } from "../telemetry/telemetry.ts";
import { problemOf, problemResponse, RequestFault } from "./problem.ts";
import { noteFacts } from "./request_lines.ts";
import { decodeUtf8, readBytes } from "./request_body.ts";
import { refuseHeader, refuseSignature, type SignatureFault } from "./stripe_signature.ts";

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
  const batches = new EventBatches(deps.db);
  const record = (event: IncomingEvent) => batches.record(event);
  const handle = async (request: Request): Promise<Response> => {
    try {
      if (request.method !== "POST") {
        throw new RequestFault("method_not_allowed", "Stripe sends POST.", { allow: "POST" });
      }
      const payload = await verifiedBody(deps, request);
      const event = readEventOrRefuse(deps, payload);
      const { outcome, reason } = await processEvent(deps, event, { record });
      noteEvent(request, event, outcome);
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

/** For the request's line in the log, and the metrics. */
function noteEvent(request: Request, { id, type, created }: IncomingEvent, outcome: string): void {
  const lag = Math.max(Date.now() / 1000 - created, 0);
  noteFacts(request, { stripeEvent: id, type, outcome, lagSeconds: Math.round(lag * 10) / 10 });
  telemetry.count("dues.events", { outcome });
  if (outcome === "applied") telemetry.measure("dues.event.lag", lag);
}

const tooLate = () =>
  new BillingError("request_timed_out", "This took longer than Stripe waits. Send it again.");

/**
 * The body as text, once it is known that Stripe signed it. In the order of the cost: the header's form and age before the body is
 * read, then one HMAC over its bytes for each secret, and only then is it decoded; it is parsed once, by what reads the event.
 *
 * Throws `RequestFault`: `invalid_signature`, what readBytes throws, and `invalid_event` for a signed body that is not UTF-8.
 */
async function verifiedBody({ secrets }: WebhookDependencies, request: Request): Promise<string> {
  const header = request.headers.get("stripe-signature");
  refuse(refuseHeader({ header, toleranceSeconds: TOLERANCE_SECONDS }));
  const body = await readBytes(request, MAX_BODY_BYTES);
  refuse(refuseSignature({ body, header, secrets, toleranceSeconds: TOLERANCE_SECONDS }));
  const payload = decodeUtf8(body);
  if (payload === undefined) {
    throw new RequestFault("invalid_event", "The body is not UTF-8 without a byte order mark.");
  }
  return payload;
}

const signatureFaults: Record<SignatureFault, string> = {
  missing: "The header Stripe-Signature is missing.",
  malformed: "The header Stripe-Signature has no time or no v1 signature.",
  too_old: `The signature is older than ${TOLERANCE_SECONDS} seconds.`,
  no_match: "No signing secret matches the body.",
};

function refuse(fault: SignatureFault | undefined): void {
  if (fault) throw new RequestFault("invalid_signature", signatureFaults[fault]);
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
