/** The plots of docs/performance.md, by the names of their files. */
import { barPlot, linePlot, svgOf } from "./plots.ts";
import type { Results } from "./results.ts";

export async function performancePlots(results: Results): Promise<Map<string, string>> {
  const plots = new Map<string, string>();
  const { webhook, burst, quota } = results;
  if (webhook) {
    const bars = webhook.figures.map(({ contender, inFlight, perSecond }) => ({
      contender,
      inFlight,
      perSecond: perSecond.median,
      lowest: perSecond.min,
      highest: perSecond.max,
    }));
    plots.set("webhook.svg", await svgOf(barPlot("Webhooks", bars)));
  }
  if (burst) {
    const points = burst.sample.map((milliseconds, share) => ({ x: share, y: milliseconds, line: "dues" }));
    plots.set(
      "burst.svg",
      await svgOf(linePlot(
        `A burst of ${burst.events} events in ${burst.seconds} s`,
        { x: { title: "% of the events answered within" }, y: { title: "ms" } },
        points,
      )),
    );
  }
  if (quota && quota.histories.length > 0) {
    const points = quota.histories.flatMap(({ events, latency }) =>
      (["p50", "p99"] as const).map((line) => ({ x: events, y: latency[line], line }))
    );
    plots.set(
      "quota.svg",
      await svgOf(linePlot(
        "One use of a feature, in a community with all the history",
        { x: { title: "events in 29 days", log: true }, y: { title: "ms", log: true } },
        points,
      )),
    );
  }
  return plots;
}
