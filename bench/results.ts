/** What a run of the benchmarks found, as it is kept in bench/results.json. */
import { projectPath } from "../local/paths.ts";
import type { PostgresSettings } from "./measure/durable_postgres.ts";
import type { Machine } from "./measure/machine.ts";
import type { BurstResults } from "./parts/burst.ts";
import type { QuotaResults } from "./parts/quota.ts";
import type { ServerResults } from "./parts/server.ts";
import type { WebhookResults } from "./parts/webhook.ts";

export const RESULTS_FILE = projectPath("bench", "results.json");

export interface Results {
  /** ISO 8601. */
  takenAt: string;
  extent: "short" | "usual" | "full";
  machine: Machine;
  postgres: PostgresSettings;
  webhook?: WebhookResults;
  burst?: BurstResults;
  quota?: QuotaResults;
  server?: ServerResults;
}

export type Part = "webhook" | "burst" | "quota" | "server";
export const PARTS: Part[] = ["webhook", "burst", "server", "quota"];

/** Everything that was wrong with the work of a contender. */
export const faultsOfRun = (results: Results): string[] =>
  PARTS.flatMap((part) => results[part]?.faults ?? []);

/** What was not measured, and why. */
export const leftOutOfRun = ({ webhook, quota }: Results): string[] => [
  ...(webhook?.leftOut ?? []),
  ...(quota?.leftOut ?? []),
];

/** Numbers with four digits at most: more would only be noise. */
export const asJson = (results: Results): string =>
  JSON.stringify(
    results,
    (_, value) =>
      typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
    1,
  ) + "\n";

export async function readResults(file = RESULTS_FILE): Promise<Results> {
  return JSON.parse(await Deno.readTextFile(file));
}
