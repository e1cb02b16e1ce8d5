/** Metrics that are asked for each time they are sent: ages, open anomalies, readiness; and of Stripe's answers. */
import type Stripe from "stripe";
import type { Readiness } from "../operations/readiness.ts";
import { type Telemetry, telemetry } from "./telemetry.ts";

/** Observes readiness and ages from now on. `ready` is the function of readiness(), which keeps what the database said. */
export function observeService(ready: () => Promise<Readiness>, to: Telemetry = telemetry): void {
  to.observe("dues.job.age", async () => {
    const { ages } = await ready();
    return [[ages.reconciliation, { job: "reconcile" }], [ages.usageReport, { job: "report-usage" }]];
  });
  to.observe("dues.last_event.age", async () => [[(await ready()).ages.event]]);
  to.observe("dues.outbox.age", async () => [[(await ready()).outboxAge]]);
  to.observe("dues.anomalies.open", async () => [[(await ready()).openAnomalies]]);
  to.observe(
    "dues.ready",
    async () => Object.entries((await ready()).parts).map(([part, { ok }]) => [ok ? 1 : 0, { part }]),
  );
}

/** Measures each answer of Stripe's from now on. */
export function measureStripe(stripe: Stripe, to: Telemetry = telemetry): void {
  stripe.on("response", ({ status, elapsed }: Stripe.ResponseEvent) => {
    to.measure("dues.stripe.call.duration", elapsed / 1000, { status: status ?? 0 });
  });
}
