/** What `deno task bench:scale` found, as it is kept in bench/scale_results.json. */
import { projectPath } from "../../local/paths.ts";
import type { Machine } from "../measure/machine.ts";
import type { Reading } from "./growth.ts";
import type { Expectation } from "./probes.ts";

export const SCALE_FILE = projectPath("bench", "scale_results.json");

export interface ProbeResult {
  name: string;
  role: string;
  expect: Expectation;
  readings: Reading[];
  /** What is wrong, or null. */
  fault: string | null;
}

/** Bytes of a row with its share of the indexes, at the largest size. */
export interface RowSize {
  of: string;
  table: string;
  rows: number;
  tableBytes: number;
  indexBytes: number;
}

export interface ScaleResults {
  takenAt: string;
  machine: Machine;
  postgresVersion: string;
  sizes: number[];
  /** Seconds to fill up to each size, and the size of the whole database then. */
  fills: { communities: number; seconds: number; bytes: number }[];
  fill: string;
  probes: ProbeResult[];
  rowSizes: RowSize[];
  /** Functions without a probe, and probes without a function. */
  uncovered: string[];
}

export async function readScaleResults(file = SCALE_FILE): Promise<ScaleResults> {
  return JSON.parse(await Deno.readTextFile(file));
}
