import type Stripe from "stripe";
import { z } from "zod";
import { orStripeUnavailable } from "../stripe.ts";
import type { Change, EventRecord } from "./read_event.ts";
import { identifierOfKey } from "../usage/usage_report_delivery.ts";

/**
 * Thin events: Stripe names what happened and to which object, and says the rest when asked
 * (https://docs.stripe.com/event-destinations#thin-events). Usage that Stripe took and then refused is reported only so.
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
  if (!body.includes("v2.core.event")) return false; // spares nearly every body a parse
  try {
    return z.object({ object: thinEventSchema.shape.object }).safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
}

const meterErrors = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"];

/** The types a thin event destination is to be subscribed to. */
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
 * Reads a verified thin event, asking Stripe for the rest where it matters. Throws `z.ZodError` when it is no event, and
 * `stripe_unavailable`.
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

/** Stripe names a sample of the meter events it refused, by the idempotency keys they came with. */
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
