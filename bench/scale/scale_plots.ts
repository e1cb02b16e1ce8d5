/** The plot of docs/scale.md. */
import { linePlot, svgOf } from "../plots.ts";
import type { ScaleResults } from "./scale_results.ts";

/** What grows most, and what everybody uses most. */
const ALWAYS = ["billing_info", "consume_quota", "webhook, an event"];
const MOST = 9;

export async function scalePlots({ probes }: ScaleResults): Promise<Map<string, string>> {
  const growth = ({ readings }: ScaleResults["probes"][number]) =>
    (readings.at(-1)!.buffers ?? Infinity) / (readings[0].buffers || 1);
  const growing = probes.filter(({ fault }) => fault !== null).sort((a, b) => growth(b) - growth(a)).slice(
    0,
    MOST,
  );
  const shown = [...probes.filter(({ name }) => ALWAYS.includes(name)), ...growing];
  const points = shown.flatMap(({ name, readings }) =>
    readings.flatMap(({ communities, buffers }) =>
      buffers === null || buffers === 0 ? [] : [{ x: communities, y: buffers, line: name }]
    )
  );
  const plot = linePlot(
    "Pages that one call reads",
    { x: { title: "communities", log: true }, y: { title: "buffers", log: true } },
    points,
  );
  return new Map([["scale.svg", await svgOf(plot)]]);
}
