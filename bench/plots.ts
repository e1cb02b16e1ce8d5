/** The plots of the documents, as SVG. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** A plot as SVG text: the same text for the same values. */
export async function svgOf(spec: TopLevelSpec): Promise<string> {
  const whole = {
    background: "white",
    config: {
      font: "sans-serif",
      view: { stroke: "#ddd" },
      legend: { labelLimit: 0 },
      range: { category: { scheme: "tableau20" } },
    },
    ...spec,
  };
  const svg = await new View(parse(compile(whole as TopLevelSpec).spec), { renderer: "none" }).toSVG();
  return svg + "\n";
}

/** A number of times, log scale, for what differs by orders of magnitude. */
const log = { scale: { type: "log" as const } };

export interface Bar {
  contender: string;
  inFlight: number;
  perSecond: number;
  lowest: number;
  highest: number;
}

/** Bars with their range, a group for each number of requests in flight. */
export const barPlot = (title: string, values: Bar[]): TopLevelSpec => ({
  title,
  data: { values: values as unknown as Record<string, unknown>[] },
  facet: { column: { field: "inFlight", type: "ordinal", title: "in flight" } },
  spec: {
    width: 170,
    height: 240,
    encoding: { x: { field: "contender", type: "nominal", title: null, sort: null } },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          y: { field: "perSecond", type: "quantitative", title: "events a second" },
          color: { field: "contender", type: "nominal", legend: null, sort: null },
        },
      },
      {
        mark: { type: "rule" },
        encoding: {
          y: { field: "lowest", type: "quantitative" },
          y2: { field: "highest" },
        },
      },
    ],
  },
});

export interface Point {
  x: number;
  y: number;
  line: string;
}

/** Lines with points. */
export const linePlot = (
  title: string,
  { x, y }: { x: { title: string; log?: boolean }; y: { title: string; log?: boolean } },
  values: Point[],
): TopLevelSpec => ({
  title,
  width: 560,
  height: 300,
  data: { values: values as unknown as Record<string, unknown>[] },
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "x", type: "quantitative", title: x.title, ...(x.log ? log : {}) },
    y: { field: "y", type: "quantitative", title: y.title, ...(y.log ? log : {}) },
    color: { field: "line", type: "nominal", title: null, sort: null },
  },
});
