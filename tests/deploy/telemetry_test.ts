// Metrics, the request log, and the dashboard and alert rules that are made for them.
import assert from "node:assert/strict";
import { type MetricName, metrics, prometheusName } from "../../billing/telemetry/metric_names.ts";
import { Telemetry } from "../../billing/telemetry/telemetry.ts";
import { dashboard } from "../../deploy/make_dashboard.ts";
import { projectPath } from "../../local/paths.ts";
import { runDeno } from "../support/run_deno.ts";

const read = (...path: string[]) => Deno.readTextFile(projectPath(...path));
const names = Object.keys(metrics) as MetricName[];

/** What Prometheus has of a metric. */
const series = names.flatMap((name) => {
  const base = prometheusName(name);
  return metrics[name].kind === "histogram" ? [`${base}_bucket`, `${base}_sum`, `${base}_count`] : [base];
});
const namedIn = (text: string) => [...text.matchAll(/\bdues_\w+/g)].map(([name]) => name);

Deno.test("the dashboard is up to date, names only metrics that there are, and shows each", async () => {
  const text = await read("deploy", "grafana_dashboard.json");
  assert.deepEqual(JSON.parse(text), dashboard(), "run deno run -W deploy/make_dashboard.ts");
  const named = new Set(namedIn(text));
  assert.deepEqual([...named].filter((name) => !series.includes(name)), []);
  for (const name of names) assert.ok([...named].some((each) => each.startsWith(prometheusName(name))), name);
});

Deno.test("the alert rules name only metrics and labels that there are, and each says what to do", async () => {
  const text = await read("deploy", "alert_rules.yaml");
  assert.deepEqual([...new Set(namedIn(text))].filter((name) => !series.includes(name)), []);
  const rules = text.split(/^ {6}- alert: /m).slice(1);
  assert.ok(rules.length >= 8);
  for (const rule of rules) {
    assert.match(rule, /\bexpr: .+\n/);
    assert.match(rule, /severity: (page|ticket)/);
    assert.match(rule, /summary: ".+"/);
    assert.match(rule, /action: ".+"/);
    const [metric] = namedIn(rule);
    const known = names.find((name) => metric.startsWith(prometheusName(name)))!;
    const labels = [...rule.matchAll(/by \(([^)]+)\)|\{(\w+)[=~]/g)].flatMap(([_, a, b]) =>
      (a ?? b).split(/,\s*/)
    );
    const allowed = [...metrics[known].attributes, "le"] as string[];
    assert.deepEqual(labels.filter((label) => !allowed.includes(label)), [], rule);
  }
});

Deno.test("Telemetry sends what it counts, measures and observes by Deno's OpenTelemetry", async () => {
  const program = `
    import { telemetry } from ${
    JSON.stringify(new URL("../../billing/telemetry/telemetry.ts", import.meta.url).href)
  };
    telemetry.count("dues.events", { outcome: "applied" });
    telemetry.count("dues.events", { outcome: "applied" });
    telemetry.measure("dues.event.lag", 2.5);
    telemetry.observe("dues.job.age", () => Promise.resolve([[7, { job: "reconcile" }], [null, { job: "report-usage" }]]));
    await new Promise((resolve) => setTimeout(resolve, 700));`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  try {
    const env = {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "console",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      NO_COLOR: "1",
    };
    const { code, stdout, stderr } = await runDeno(["run", "--no-check", "-A", file], env);
    assert.equal(code, 0, stderr);
    const out = stdout + stderr;
    assert.match(out, /METRIC dues\.events \(Sum, unit=\{event\}\)[^]*?\{outcome=applied\} value=2/);
    assert.match(out, /METRIC dues\.event\.lag \(Histogram, unit=s\)[^]*?count=1 sum=2\.5/);
    assert.match(out, /METRIC dues\.job\.age \(Gauge, unit=s\)[^]*?\{job=reconcile\} value=7/);
    assert.doesNotMatch(out, /report-usage/);
    const without = await runDeno(["run", "--no-check", "-A", file]);
    assert.deepEqual([without.code, without.stdout], [0, ""], without.stderr);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("Telemetry makes each instrument once", () => {
  const made: string[] = [];
  const telemetry = new Telemetry({
    createCounter: (name) => (made.push(name), { add: () => {} }),
    createHistogram: (name) => (made.push(name), { record: () => {} }),
    createObservableGauge: (name) => (made.push(name), { addCallback: () => {} }),
  });
  for (let i = 0; i < 3; i++) {
    telemetry.count("dues.refusals", { reason: "not_found" });
    telemetry.measure("dues.request.duration", 0.1);
  }
  assert.deepEqual(made, ["dues.refusals", "dues.request.duration"]);
});
