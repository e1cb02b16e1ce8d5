import type Stripe from "stripe";
import { z } from "zod";
import type { Deadline } from "../deadline.ts";
import { askStripe } from "../stripe.ts";
import { identifierOfKey } from "../usage/usage_report_delivery.ts";
import { type EventScope, type IncomingEvent, refusal } from "./read_event.ts";
import { storableJson } from "./storable_payload.ts";

/**
 * Thin events: Stripe sends what happened and to which object; the rest has to be asked for
 * (https://docs.stripe.com/event-destinations#thin-events). Stripe reports usage that it accepted first and refused later
 * only in this form.
 */
const thinEventSchema = z.object({
  object: z.literal("v2.core.event"),
  id: z.string().min(1),
  type: z.string().min(1),
  created: z.iso.datetime(),
  livemode: z.boolean(),
  /** The account it happened in, where that is not our own (https://docs.stripe.com/context). */
  context: z.string().nullish(),
  related_object: z.object({ id: z.string() }).nullish(),
});

/** Whether a body claims to be a thin event. Says nothing about who sent it. */
export function isThinEvent(body: string): boolean {
  if (!body.includes("v2.core.event")) return false; // avoids parsing nearly every body
  try {
    return z.object({ object: thinEventSchema.shape.object }).safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
}

const meterErrors = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"];

/** The event types that a thin event destination has to be subscribed to. */
export const handledThinEventTypes = meterErrors;

const errorReportSchema = z.object({
  data: z.object({
    developer_message_summary: z.string(),
    reason: z.object({
      error_count: z.number(),
      error_types: z.array(z.object({
        code: z.string(),
        sample_errors: z.array(z.object({
          error_message: z.string(),
          request: z.object({ identifier: z.string() }),
        })).default([]),
      })),
    }),
  }),
});
type ErrorReport = z.output<typeof errorReportSchema>["data"];

/** Reads a verified thin event. Of a handled type, Stripe has to be asked for the rest. Throws as readStripeEvent(). */
export function readThinEvent(text: string, { isLive }: EventScope): IncomingEvent {
  const payload = storableJson(text);
  const thin = thinEventSchema.parse(JSON.parse(payload));
  const refused = refusal({ livemode: thin.livemode, isLive, account: thin.context });
  return {
    id: thin.id,
    type: thin.type,
    created: Math.floor(Date.parse(thin.created) / 1000),
    livemode: thin.livemode,
    api_version: null,
    account_id: thin.context ?? null,
    customer_id: null,
    object_id: thin.related_object?.id ?? null,
    object_status: null,
    kind: refused?.kind ?? (meterErrors.includes(thin.type) ? "ask" : "record"),
    state: null,
    state_hash: null,
    community_id: null,
    reason: refused?.reason ?? null,
    payload,
  };
}

/** Asks Stripe for the rest of a thin event. Throws as askStripe(). */
export async function completeThinEvent(
  stripe: Stripe,
  event: IncomingEvent,
  deadline: Deadline,
): Promise<IncomingEvent> {
  const answer = await askStripe(
    deadline,
    (options) => stripe.v2.core.events.retrieve(event.id, {}, options),
  );
  const report = errorReportSchema.safeParse(answer);
  return report.success
    ? { ...event, kind: "meter_errors", state: readMeterErrors(report.data.data) }
    : { ...event, kind: "unreadable", reason: z.prettifyError(report.error) };
}

/** Stripe lists a sample of the refused meter events, by the idempotency keys they were sent with. */
function readMeterErrors({ developer_message_summary: summary, reason }: ErrorReport) {
  const codes = reason.error_types.map(({ code }) => code).join(", ");
  return {
    detail: `${summary} (${reason.error_count} refused: ${codes})`,
    refused: reason.error_types.flatMap(({ code, sample_errors }) =>
      sample_errors.map(({ error_message, request }) => ({
        identifier: identifierOfKey(request.identifier),
        reason: `${code}: ${error_message}`,
      }))
    ),
  };
}
