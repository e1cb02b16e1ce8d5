/** Communities that use a metered feature, and a stand-in for Stripe's meters with scripted answers. */
import { METER } from "../support/metered_plans.ts";
import type Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";
import { reportUsage, type UsageReportOptions } from "../../billing/usage/usage_reports.ts";
import { type QuotaRig, startQuotaRig } from "../quota/rig.ts";

export { METER };

/** A rig with the metered feature `image` on plan `pro`. */
export async function startUsageRig(options?: { connections?: number }): Promise<QuotaRig> {
  const rig = await startQuotaRig(options);
  await rig.operator`
    insert into public.features (code, name, unit, meter_event_name) values ('image', 'Images', 'image', ${METER})`;
  await rig.setLimit("pro", "image", 1_000_000_000);
  return rig;
}

/** Adds a community on plan `pro`, by default with the Stripe customer `cus_ID`. */
export async function addPayingCommunity(rig: QuotaRig, id: string, customer = `cus_${id}`): Promise<void> {
  await rig.addCommunity(id, "pro");
  await rig.operator`update public.communities set stripe_customer_id = ${customer} where id = ${id}`;
}

/** Creates the meter of the feature in Stripe. */
export const createMeter = (stripe: Stripe): Promise<Stripe.Billing.Meter> =>
  stripe.billing.meters.create({
    display_name: "Images",
    event_name: METER,
    default_aggregation: { formula: "sum" },
  });

/** Uses the metered feature at a time, and leaves the clock there. */
export async function consume(rig: QuotaRig, community: string, quantity: number, at: Date): Promise<void> {
  await rig.stopClockAt(at);
  await rig.operator`select billing.consume_quota(${community}, 'image', ${quantity}, 'ann')`;
}

/** Sends the due reports, by default without a limit on the rate. */
export const report = (
  rig: QuotaRig,
  stripe: Stripe,
  options: Partial<UsageReportOptions> = {},
) => reportUsage({ db: rig.db, stripe }, { perSecond: 10_000, ...options });

/** All usage reports, in the order of their first use. */
export const reports = (rig: QuotaRig) =>
  rig.operator<
    { identifier: string; quantity: string; state: string; error: string | null; attempts: number }[]
  >`
    select identifier, quantity, state, error, attempts from billing.usage_reports order by first_used_at`;

/** A meter event as it was received, with its idempotency key. */
export interface ReceivedEvent {
  event_name: string;
  identifier: string;
  timestamp: number;
  customer: string;
  value: string;
  key: string;
}

export interface Answer {
  status: number;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** An error in Stripe's form. */
export const refusal = (status: number, error: Record<string, unknown>, headers = {}): Answer => ({
  status,
  body: { error },
  headers,
});

/** A stand-in for Stripe that records meter events, answers with `answer`, and whose meter counts what is in `counted`. */
export function startScriptedStripe(
  answer: (event: ReceivedEvent) => Answer | "hang up" = () => ({ status: 200 }),
) {
  const received: ReceivedEvent[] = [];
  const counted: { start_time: number; aggregated_value: number }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/billing/meters") return list([{ id: "mtr_1", event_name: METER }]);
    if (pathname === "/v1/billing/meters/mtr_1/event_summaries") return list(counted);
    const form = new URLSearchParams(await request.text());
    const event: ReceivedEvent = {
      event_name: form.get("event_name")!,
      identifier: form.get("identifier")!,
      timestamp: Number(form.get("timestamp")),
      customer: form.get("payload[stripe_customer_id]")!,
      value: form.get("payload[value]")!,
      key: request.headers.get("idempotency-key")!,
    };
    received.push(event);
    const given = answer(event);
    if (given === "hang up") {
      return new Response(new ReadableStream({ pull: (stream) => stream.error("gone") }));
    }
    return Response.json(given.body ?? { object: "billing.meter_event" }, given);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    received,
    counted,
    stripe: connectStripe({ secretKey: "sk_test_tests", apiBase: url }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const list = (data: unknown[]) => Response.json({ object: "list", data, has_more: false, url: "" });
