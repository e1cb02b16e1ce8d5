/**
 * Metrics by Deno's OpenTelemetry (https://docs.deno.com/runtime/fundamentals/open_telemetry/): on when the process runs with
 * OTEL_DENO=true, and sent to OTEL_EXPORTER_OTLP_ENDPOINT. Without that, and where there is no such API, nothing is measured.
 */
import { version } from "../version.ts";
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type MetricName,
  metrics,
} from "./metric_names.ts";

type Attributes = Record<string, string | number>;

/** The part of OpenTelemetry's API that is used here. */
interface Meter {
  createCounter(name: string, options: object): { add(value: number, attributes?: Attributes): void };
  createHistogram(name: string, options: object): { record(value: number, attributes?: Attributes): void };
  createObservableGauge(name: string, options: object): {
    addCallback(callback: (result: Observer) => void | Promise<void>): void;
  };
}
interface Observer {
  observe(value: number, attributes?: Attributes): void;
}

/** In seconds: answers take milliseconds, and events may be late by hours. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/** Records the metrics of `metric_names.ts`. */
export class Telemetry {
  readonly #meter: Meter | undefined;
  readonly #counters = new Map<string, ReturnType<Meter["createCounter"]>>();
  readonly #histograms = new Map<string, ReturnType<Meter["createHistogram"]>>();

  constructor(meter: Meter | undefined = processMeter()) {
    this.#meter = meter;
  }

  /** Counts one. */
  count(name: CounterName, attributes: Attributes = {}): void {
    if (!this.#meter) return;
    const counter = this.#counters.get(name) ?? this.#meter.createCounter(name, optionsOf(name));
    this.#counters.set(name, counter);
    counter.add(1, attributes);
  }

  /** Records a duration in seconds. */
  measure(name: HistogramName, seconds: number, attributes: Attributes = {}): void {
    if (!this.#meter) return;
    const histogram = this.#histograms.get(name) ??
      this.#meter.createHistogram(name, {
        ...optionsOf(name),
        advice: { explicitBucketBoundaries: BOUNDARIES },
      });
    this.#histograms.set(name, histogram);
    histogram.record(seconds, attributes);
  }

  /** Has `read` asked for a value each time the metrics are sent. What is null is left out. */
  observe(name: GaugeName, read: () => Promise<[value: number | null, attributes?: Attributes][]>): void {
    this.#meter?.createObservableGauge(name, optionsOf(name)).addCallback(async (result) => {
      for (const [value, attributes] of await read()) if (value !== null) result.observe(value, attributes);
    });
  }
}

const optionsOf = (name: MetricName) => ({
  unit: metrics[name].unit,
  description: metrics[name].description,
});

function processMeter(): Meter | undefined {
  try {
    const { telemetry } = Deno as unknown as {
      telemetry?: { meterProvider: { getMeter(name: string, version: string): Meter } };
    };
    return telemetry?.meterProvider.getMeter("dues", version);
  } catch {
    return undefined; // It was not switched on.
  }
}

/** The metrics of this process. */
export const telemetry: Telemetry = new Telemetry();
