/** pgbench, where it is installed: calls of SQL without any server in between. */
import { commonEnvironment } from "../../local/processes/children.ts";

export interface PgbenchTask {
  url: string;
  script: string;
  clients: number;
  /** Of each client. Not a time, because connecting many clients would be a part of it. */
  calls: number;
}

export interface PgbenchResult {
  /** Without the time to connect. */
  perSecond: number;
  /** Of each call, in ms. */
  latencies: number[];
  calls: number;
}

/** How many calls each client has to make so that a run takes about that long, at a known speed. */
export const callsFor = (perSecond: number, milliseconds: number, clients: number): number =>
  Math.max(10, Math.round(perSecond * milliseconds / 1000 / clients) || 0);

export async function hasPgbench(): Promise<boolean> {
  try {
    return (await new Deno.Command("pgbench", { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Rejects with what pgbench says when a call fails. */
export async function runPgbench(
  { url, script, clients, calls }: PgbenchTask,
): Promise<PgbenchResult> {
  const folder = await Deno.makeTempDir({ prefix: "dues-pgbench-" });
  try {
    await Deno.writeTextFile(`${folder}/script.sql`, script);
    const { success, stdout, stderr } = await new Deno.Command("pgbench", {
      args: ["-n", "-M", "prepared", "-c", String(clients), "-j", "1", "-t", String(calls)]
        .concat(["-f", `${folder}/script.sql`, "-l", `--log-prefix=${folder}/log`, url]),
      env: commonEnvironment(),
      clearEnv: true,
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder();
    // "inf" after a single call that was over at once.
    const [, perSecond] = text.decode(stdout).match(/^tps = (\S+)/m) ?? [];
    if (!success || perSecond === undefined) {
      throw new Error(`pgbench: ${text.decode(stdout)}${text.decode(stderr)}`);
    }
    const latencies: number[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith("log")) {
        latencies.push(...latenciesOf(await Deno.readTextFile(`${folder}/${name}`)));
      }
    }
    return {
      perSecond: perSecond === "inf" ? Infinity : Number(perSecond),
      latencies,
      calls: latencies.length,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The third column is microseconds (https://www.postgresql.org/docs/17/pgbench.html#id-1.9.4.11.9.3). */
const latenciesOf = (log: string) =>
  log.trim().split("\n").filter(Boolean).map((line) => Number(line.split(" ")[2]) / 1000);
