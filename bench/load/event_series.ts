/** Series of Stripe events, each of which is news, and their signed requests. */
import { createHmac } from "node:crypto";
import { requestBytes } from "./connection.ts";

/** What a template has in the places that differ from event to event. */
export const PLACES = {
  event: "@event@",
  /** Six digits: the number of the customer. */
  key: "@key@",
  price: "@price@",
  previousPrice: "@previous-price@",
  /** As numbers, because these places hold numbers. */
  created: 9_999_999_991,
  periodEnd: 9_999_999_992,
} as const;

export const PRICES = ["price_basic", "price_pro"];

/** Event number n belongs to customer `n % customers`. Its time and its price rise or change with every pass over them. */
export interface EventSeries {
  /** An event as JSON, with PLACES. */
  template: string;
  customers: number;
  /** Unix seconds of the first pass; each pass is one second later. */
  epoch: number;
  /** -1: each pass is one second earlier than the one before, so that every event but the first of a customer is stale. */
  step?: 1 | -1;
  /** Every so many events one has the time of the customer's event before it: only Stripe can order the two. */
  tieEvery?: number;
}

export const keyOf = (customer: number) => String(customer).padStart(6, "0");

/** The price that event number n brings. */
export const priceOf = ({ customers }: EventSeries, n: number) => PRICES[Math.floor(n / customers) % 2];

/** Whether event number n has the time of the event before it. */
export const isTie = ({ customers, tieEvery }: EventSeries, n: number) =>
  tieEvery !== undefined && n >= customers && n % tieEvery === 0;

/** Event number n as JSON. */
export function eventText(series: EventSeries, n: number): string {
  const pass = Math.floor(n / series.customers);
  const created = series.epoch + (pass - (isTie(series, n) ? 1 : 0)) * (series.step ?? 1);
  return filled(series.template, {
    event: `evt_bench${String(n).padStart(10, "0")}`,
    key: keyOf(n % series.customers),
    price: PRICES[pass % 2],
    previousPrice: PRICES[(pass + 1) % 2],
    created: String(created),
    periodEnd: String(series.epoch + 30 * 86_400 + pass),
  });
}

const anyPlace = RegExp(Object.values(PLACES).map((place) => `(${place})`).join("|"));
const names = Object.keys(PLACES) as (keyof typeof PLACES)[];
const pieces = new Map<string, (string | keyof typeof PLACES)[]>();

/** Templates are cut into pieces once; then an event is made by joining them. */
function filled(template: string, values: Record<keyof typeof PLACES, string>): string {
  let cut = pieces.get(template);
  if (!cut) {
    const places = Object.fromEntries(names.map((name) => [String(PLACES[name]), name]));
    cut = template.split(anyPlace).filter((piece) => piece !== undefined).map((piece) =>
      places[piece] ?? piece
    );
    pieces.set(template, cut);
  }
  return cut.map((piece) => piece in values ? values[piece as keyof typeof PLACES] : piece).join("");
}

/** The header Stripe-Signature (https://docs.stripe.com/webhooks#verify-manually). */
export function signature(body: string, secret: string, timestamp: number): string {
  return `t=${timestamp},v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

/** A delivery as Stripe makes it. */
export function delivery(body: string, to: { port: number; path: string; secret: string }): Uint8Array {
  return requestBytes({
    method: "POST",
    path: to.path,
    port: to.port,
    headers: {
      "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
      accept: "*/*",
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": signature(body, to.secret, Math.floor(Date.now() / 1000)),
    },
    body,
  });
}
