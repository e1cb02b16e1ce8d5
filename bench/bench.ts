/**
 * `deno task bench`: the product beside what it is compared with, in some minutes: webhooks, a burst of them, reads over HTTP,
 * uses of features, start and memory. Load comes from a process of its own, Postgres writes with fsync, contenders take turns,
 * and the outcome of every event is counted: exit code 1 when a contender did other work than it is measured by.
 *
 *   --peers      also @stripe/sync-engine and @better-auth/stripe, which npm installs into bench/peers
 *   --check      exit code 1 as well when a goal is not met or was not measured
 *   --full       longer, with histories of 10 million events and 100,000 webhooks for memory: about an hour and 10 GB
 *   --short      a minute or two, to see whether everything works
 *   --only PART  webhook, burst, server or quota; may be repeated
 *   --out FILE   instead of bench/results.json, which a run of some parts only or a short one does not write
 */
import { parseArgs } from "node:util";
import type { Cluster } from "../local/postgres/cluster.ts";
import { runMain } from "../local/processes/run_main.ts";
import { npmPeers } from "./contenders/npm_peers.ts";
import { verdictsOf } from "./goals.ts";
import { durableSettings, withDurableCluster } from "./measure/durable_postgres.ts";
import { describeMachine } from "./measure/machine.ts";
import { measureBurst } from "./parts/burst.ts";
import { EXTENTS } from "./parts/extent.ts";
import { measureQuota } from "./parts/quota.ts";
import { measureServer } from "./parts/server.ts";
import { measureWebhooks } from "./parts/webhook.ts";
import { conditions, figureTables, goalTable } from "./performance_tables.ts";
import {
  asJson,
  faultsOfRun,
  leftOutOfRun,
  type Part,
  PARTS,
  type Results,
  RESULTS_FILE,
} from "./results.ts";
import { text } from "./tables.ts";

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      peers: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: PARTS },
      out: { type: "string" },
    },
  });
  const unknown = values.only.filter((part) => !PARTS.includes(part as Part));
  if (unknown.length > 0) {
    console.error(`--only takes ${PARTS.join(", ")}, not ${unknown.join(", ")}.`);
    return 2;
  }
  const extent = values.full ? "full" : values.short ? "short" : "usual";
  const isWhole = PARTS.every((part) => values.only.includes(part));
  const out = values.out ?? (isWhole && extent !== "short" ? RESULTS_FILE : null);

  const results = await withDurableCluster(async (cluster) => {
    const found: Results = {
      takenAt: new Date().toISOString(),
      extent,
      machine: describeMachine(),
      postgres: await durableSettings(cluster),
    };
    for (const part of PARTS.filter((part) => values.only.includes(part))) {
      const begun = performance.now();
      await measure(part, cluster, found, values.peers);
      console.error(`${part}: ${Math.round((performance.now() - begun) / 1000)} s`);
    }
    return found;
  });

  for (const table of [...figureTables(results), goalTable(results)]) console.log(`\n${text(table)}`);
  console.log(`\n${conditions(results)}`);
  for (const sentence of leftOutOfRun(results)) console.log(`Left out. ${sentence}`);
  if (out) {
    await Deno.writeTextFile(out, asJson(results));
    console.log(`Results are in ${out}. deno task bench:docs writes them into the documents.`);
  }
  const faults = faultsOfRun(results);
  for (const fault of faults) console.error(`FAULT ${fault}`);
  const missed = verdictsOf(results).filter(({ isMet }) => !isMet);
  if (missed.length > 0) console.log(`${missed.length} goals are not met.`);
  return faults.length > 0 || (values.check && missed.length > 0) ? 1 : 0;
}

async function measure(part: Part, cluster: Cluster, found: Results, withPeers: boolean): Promise<void> {
  const extent = EXTENTS[found.extent];
  switch (part) {
    case "webhook":
      found.webhook = await measureWebhooks(cluster, extent, withPeers ? npmPeers(cluster) : null);
      break;
    case "burst":
      found.burst = await measureBurst(cluster, extent);
      break;
    case "server":
      found.server = await measureServer(cluster, extent);
      break;
    case "quota":
      found.quota = await measureQuota(cluster, extent);
      break;
  }
}

if (import.meta.main) await runMain(() => main(Deno.args));
