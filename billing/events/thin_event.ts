import type Stripe from "stripe";
import { z } from "zod";
import { orStripeUnavailable } from "../stripe.ts";
import type { Change, EventRecord } from "./read_event.ts";
import { identifierOfKey } from "../usage/usage_report_delivery.ts";

/**
 * Thin events: Stripe sends what happened and to which object; the rest has to be fetched
 * (https://docs.stripe.com/event-destinations#thin-events). Stripe reports usage that it accepted first and refused later
 * only in this form.
 */
const thinEventSchema = z.object({
  object: z.literal("v2.core.event"),
  id: z.string().min(1),
  type: z.string().min(1),
  created: z.iso.datetime(),
  livemode: z.boolean(),
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

/**
 * Reads a verified thin event, and fetches the rest of it where the type is handled. Throws `z.ZodError` when it is not a
 * thin event, and `stripe_unavailable`.
 */
export async function readThinEvent(
  stripe: Stripe,
  body: unknown,
): Promise<{ event: EventRecord; change: Change }> {
  const thin = thinEventSchema.parse(body);
  const event: EventRecord = {
    id: thin.id,
    type: thin.type,
    created: Math.floor(Date.parse(thin.created) / 1000),
    livemode: thin.livemode,
    api_version: null,
    customer_id: null,
    object_id: thin.related_object?.id ?? null,
  };
  if (!meterErrors.includes(thin.type)) return { event, change: null };

  const report = errorReportSchema.safeParse(
    await orStripeUnavailable(stripe.v2.core.events.retrieve(thin.id)),
  );
  if (!report.success) {
    return { event, change: { kind: "unreadable", reason: z.prettifyError(report.error) } };
  }
  return { event, change: readMeterErrors(report.data.data) };
}

/** Stripe lists a sample of the refused meter events, by the idempotency keys they were sent with. */
function readMeterErrors({ developer_message_summary: summary, reason }: ErrorReport): Change {
  const codes = reason.error_types.map(({ code }) => code).join(", ");
  return {
    kind: "meter_errors",
    detail: `${summary} (${reason.error_count} refused: ${codes})`,
    refused: reason.error_types.flatMap(({ code, sample_errors }) =>
      sample_errors.map(({ error_message, request }) => ({
        identifier: identifierOfKey(request.identifier),
        reason: `${code}: ${error_message}`,
      }))
    ),
  };
}
