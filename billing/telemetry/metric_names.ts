/**
 * Every metric of Dues. Names and units follow OpenTelemetry (https://opentelemetry.io/docs/specs/semconv/general/metrics/);
 * `prometheusName()` is what Prometheus calls them, in dashboards and alert rules.
 */
export const metrics = {
  "dues.events": {
    kind: "counter",
    unit: "{event}",
    attributes: ["outcome"],
    description: "Stripe's events that arrived, by outcome.",
  },
  "dues.event.lag": {
    kind: "histogram",
    unit: "s",
    attributes: [],
    description:
      "From when an event happened at Stripe until it was settled here, of deliveries that were applied.",
  },
  "dues.refusals": {
    kind: "counter",
    unit: "{request}",
    attributes: ["reason"],
    description: "Requests that were refused or failed, by the code of the answer.",
  },
  "dues.request.duration": {
    kind: "histogram",
    unit: "s",
    attributes: ["route", "status"],
    description: "How long an answer took, by route and status.",
  },
  "dues.stripe.call.duration": {
    kind: "histogram",
    unit: "s",
    attributes: ["status"],
    description: "How long Stripe took to answer, by status.",
  },
  "dues.job.age": {
    kind: "gauge",
    unit: "s",
    attributes: ["job"],
    description: "Since a scheduled job was last complete.",
  },
  "dues.last_event.age": {
    kind: "gauge",
    unit: "s",
    attributes: [],
    description: "Since the newest event arrived.",
  },
  "dues.outbox.age": {
    kind: "gauge",
    unit: "s",
    attributes: [],
    description: "How long the oldest usage report is due; 0 when none is.",
  },
  "dues.anomalies.open": {
    kind: "gauge",
    unit: "{anomaly}",
    attributes: [],
    description: "Anomalies that wait for a person.",
  },
  "dues.ready": {
    kind: "gauge",
    unit: "1",
    attributes: ["part"],
    description: "1 when this server's part works, else 0: database, migrations, stripe.",
  },
} as const satisfies Record<string, Metric>;

interface Metric {
  kind: "counter" | "histogram" | "gauge";
  unit: string;
  attributes: readonly string[];
  description: string;
}

export type MetricName = keyof typeof metrics;
type NamesOf<Kind extends Metric["kind"]> = {
  [Name in MetricName]: typeof metrics[Name]["kind"] extends Kind ? Name : never;
}[MetricName];
export type CounterName = NamesOf<"counter">;
export type HistogramName = NamesOf<"histogram">;
export type GaugeName = NamesOf<"gauge">;

/** What Prometheus calls a metric, without `_bucket`, `_sum` and `_count` of a histogram. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = metrics[name];
  const base = name.replaceAll(/[.-]/g, "_");
  return `${base}${unit === "s" ? "_seconds" : unit === "1" ? "_ratio" : ""}${
    kind === "counter" ? "_total" : ""
  }`;
}
