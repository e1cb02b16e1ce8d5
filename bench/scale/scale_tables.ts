/** The tables of docs/scale.md and of `deno task bench:scale`. */
import { digits, type Table } from "../tables.ts";
import type { ProbeResult, ScaleResults } from "./scale_results.ts";

const whole = (value: number) => value.toLocaleString("en");

function probeRow({ name, expect, readings, fault }: ProbeResult): string[] {
  return [
    name,
    ...readings.flatMap(({ milliseconds, buffers, rows }) =>
      buffers === null
        ? [`> ${digits(milliseconds)}`, "cancelled", "–"]
        : [digits(milliseconds), whole(buffers), whole(rows)]
    ),
    expect === "flat" ? "flat" : `≤ ${expect.whole} a community`,
    fault ?? "as expected",
  ];
}

/** First what is not as expected, then the rest. */
export function probeTables({ sizes, probes }: ScaleResults): Table[] {
  const head = [
    "what",
    ...sizes.flatMap((size) => [`${whole(size)}: ms`, "buffers", "rows"]),
    "expected",
    "found",
  ];
  const wrong = probes.filter(({ fault }) => fault !== null);
  const right = probes.filter(({ fault }) => fault === null);
  return [
    { title: "Grows, and should not", head, rows: wrong.map(probeRow) },
    { title: "As expected", head, rows: right.map(probeRow) },
  ].filter(({ rows }) => rows.length > 0);
}

/** Tables that others may not read while a job runs. */
export const exclusiveLocks = ({ probes }: ScaleResults): string[] =>
  probes.flatMap(({ name, readings }) => {
    const { exclusive, milliseconds } = readings.at(-1)!;
    return exclusive.length === 0
      ? []
      : [`${name} locks ${exclusive.join(", ")} for up to ${digits(milliseconds)} ms.`];
  });

export const byteTable = ({ rowSizes, fills }: ScaleResults): Table => ({
  title: `Bytes, at ${whole(fills.at(-1)!.communities)} communities: ${
    digits(fills.at(-1)!.bytes / 1e6)
  } MB in all`,
  head: ["one", "table", "rows", "bytes", "of these in indexes"],
  rows: rowSizes.map(({ of, table, rows, tableBytes, indexBytes }) => [
    of,
    table,
    whole(rows),
    whole(Math.round((tableBytes + indexBytes) / rows)),
    whole(Math.round(indexBytes / rows)),
  ]),
});

export function scaleConditions(results: ScaleResults): string {
  const { takenAt, machine, postgresVersion, fill, sizes } = results;
  const locks = exclusiveLocks(results);
  return `Measured on ${
    takenAt.slice(0, 10)
  }: Postgres ${postgresVersion} without fsync, ${machine.cores} cores of ` +
    `${machine.processor}, at ${
      sizes.map(whole).join(", ")
    } communities. Of each fill, ${fill}. A buffer is a page of ` +
    `8 kB, read or found in memory.${locks.length > 0 ? ` Exclusively: ${locks.join(" ")}` : ""}`;
}
