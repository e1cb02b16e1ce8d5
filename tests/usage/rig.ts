/** A paid community with a metered feature, and a Stripe that answers as told. */
import type Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";
import { reportUsage, type UsageReportOptions } from "../../billing/usage/usage_reports.ts";
import { type QuotaRig, startQuotaRig } from "../quota/rig.ts";

export const METER = "dues_image";

/** A rig with feature `image`, which is metered, on the plan `pro`. */
export async function startUsageRig(options?: { connections?: number }): Promise<QuotaRig> {
  const rig = await startQuotaRig(options);
  await rig.operator`
    insert into public.features (code, name, unit, meter_event_name) values ('image', 'Images', 'image', ${METER})`;
  await rig.setLimit("pro", "image", 1_000_000_000);
  return rig;
}

/** Adds a community that pays. Its customer is `cus_` and its id. */
export async function addPayingCommunity(rig: QuotaRig, id: string): Promise<void> {
  await rig.addCommunity(id, "pro");
  await rig.operator`update public.communities set stripe_customer_id = ${`cus_${id}`} where id = ${id}`;
}

/** Uses the metered feature at a moment. */
export async function consume(rig: QuotaRig, community: string, quantity: number, at: Date): Promise<void> {
  await rig.stopClockAt(at);
  await rig.operator`select billing.consume_quota(${community}, 'image', ${quantity}, 'ann')`;
}

/** Sends what is due, without waiting for anything. */
export const report = (
  rig: QuotaRig,
  stripe: Stripe,
  options: Partial<UsageReportOptions> = {},
) => reportUsage({ db: rig.db, stripe }, { perSecond: 10_000, ...options });

/** The reports of the outbox, in the order of their use. */
export const reports = (rig: QuotaRig) =>
  rig.operator<
    { identifier: string; quantity: string; state: string; error: string | null; attempts: number }[]
  >`
    select identifier, quantity, state, error, attempts from billing.usage_reports order by first_used_at`;

/** A meter event as it came in, and the key it came with. */
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

/** An error as Stripe words it. */
export const refusal = (status: number, error: Record<string, unknown>, headers = {}): Answer => ({
  status,
  body: { error },
  headers,
});

/** A Stripe that takes meter events, answers as told, and counts what it is told to count. */
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
