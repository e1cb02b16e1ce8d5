/**
 * `deno run -W deploy/make_dashboard.ts`: writes `deploy/grafana_dashboard.json`, for import into Grafana with a Prometheus data
 * source, from the metrics' names. A test compares the file with this.
 */
import { type MetricName, metrics, prometheusName } from "../billing/telemetry/metric_names.ts";

interface Panel {
  title: string;
  metric: MetricName;
  /** A Prometheus expression; `METRIC` is replaced by the metric's name. */
  query: string;
  legend: string;
  unit: string;
}

const panels: Panel[] = [
  {
    title: "Events by outcome",
    metric: "dues.events",
    query: "sum by (outcome) (rate(METRIC[5m]))",
    legend: "{{outcome}}",
    unit: "ops",
  },
  {
    title: "Events: lag behind Stripe, 95 of 100",
    metric: "dues.event.lag",
    query: "histogram_quantile(0.95, sum by (le) (rate(METRIC_bucket[15m])))",
    legend: "lag",
    unit: "s",
  },
  {
    title: "Refused requests by reason",
    metric: "dues.refusals",
    query: "sum by (reason) (rate(METRIC[5m]))",
    legend: "{{reason}}",
    unit: "ops",
  },
  {
    title: "Answers, 95 of 100",
    metric: "dues.request.duration",
    query: "histogram_quantile(0.95, sum by (le, route) (rate(METRIC_bucket[5m])))",
    legend: "{{route}}",
    unit: "s",
  },
  {
    title: "Answers of Stripe's by status",
    metric: "dues.stripe.call.duration",
    query: "sum by (status) (rate(METRIC_count[5m]))",
    legend: "{{status}}",
    unit: "ops",
  },
  {
    title: "Since the last run of a job",
    metric: "dues.job.age",
    query: "min by (job) (METRIC)",
    legend: "{{job}}",
    unit: "s",
  },
  {
    title: "Since the newest event",
    metric: "dues.last_event.age",
    query: "min(METRIC)",
    legend: "age",
    unit: "s",
  },
  {
    title: "Oldest usage report that is due",
    metric: "dues.outbox.age",
    query: "max(METRIC)",
    legend: "age",
    unit: "s",
  },
  {
    title: "Open anomalies",
    metric: "dues.anomalies.open",
    query: "max(METRIC)",
    legend: "anomalies",
    unit: "short",
  },
  {
    title: "Ready",
    metric: "dues.ready",
    query: "min by (part) (METRIC)",
    legend: "{{part}}",
    unit: "short",
  },
];

/** The dashboard as Grafana imports it. */
export function dashboard(): Record<string, unknown> {
  return {
    title: "Dues",
    uid: "dues",
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: { list: [{ name: "source", type: "datasource", query: "prometheus", label: "Prometheus" }] },
    panels: panels.map(({ title, metric, query, legend, unit }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      description: metrics[metric].description,
      datasource: { type: "prometheus", uid: "${source}" },
      gridPos: { x: index % 2 * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: [{
        refId: "A",
        expr: query.replaceAll("METRIC", prometheusName(metric)),
        legendFormat: legend,
      }],
    })),
  };
}

if (import.meta.main) {
  const file = new URL("grafana_dashboard.json", import.meta.url);
  await Deno.writeTextFile(file, JSON.stringify(dashboard(), null, 2) + "\n");
}
