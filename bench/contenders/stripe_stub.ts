/**
 * A Stripe that knows the subscriptions of an event series and takes its time: each answer comes after a fixed delay.
 */
import { type EventSeries, eventText } from "../load/event_series.ts";

export interface StripeStub extends AsyncDisposable {
  url: string;
  /** How often it was asked, and for what it did not know. */
  asked: { known: number; unknown: string[]; mostAtOnce: number };
}

/** Answers with each subscription as the event of that number says it is. */
export function startStripeStub(
  series: EventSeries,
  { delayMs, eventOf }: { delayMs: number; eventOf(customer: number): number },
): StripeStub {
  const asked = { known: 0, unknown: [] as string[], mostAtOnce: 0 };
  let now = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const [, key] = path.match(/^\/v1\/subscriptions\/sub_bench(\d{6})$/) ?? [];
    asked.mostAtOnce = Math.max(asked.mostAtOnce, ++now);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    now--;
    if (key === undefined) {
      asked.unknown.push(path);
      const error = { type: "invalid_request_error", code: "resource_missing", message: `No such ${path}` };
      return Response.json({ error }, { status: 404 });
    }
    asked.known++;
    const { data } = JSON.parse(eventText(series, eventOf(Number(key))));
    return Response.json(data.object, { headers: { "request-id": `req_bench${asked.known}` } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
