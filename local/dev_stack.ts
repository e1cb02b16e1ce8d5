/** `deno task dev`: starts everything on one machine, prints the addresses, and stops everything on Ctrl-C. */
import { parseArgs } from "node:util";
import { LocalError } from "./errors.ts";
import { runMain } from "./processes/run_main.ts";
import { startSchedules } from "./supabase/schedules.ts";
import { SERVICES, type Stack, startStack } from "./stack.ts";
import { STUDIO_HOST } from "./supabase/studio.ts";
import { wrapperGone } from "./processes/npm_wrapper.ts";

const HELP = `Starts Dues and everything around it on this machine.

Usage: deno task dev [options]

  --port-base N  the first of five ports in a row: parent app, plugin, Supabase, Stripe, PostgreSQL (4100);
                 0 for any free ones
  --ephemeral    start empty and keep nothing
  --embedded     people pay inside the plugin's page, by a stand-in for Stripe.js, and not on Stripe's
  --reset        delete the state in .local and start empty
  --json         print one line of JSON on standard output when everything is up; progress goes to standard error
  --help         show this
`;

interface Options {
  portBase: number;
  ephemeral: boolean;
  embedded: boolean;
  reset: boolean;
  json: boolean;
  help: boolean;
}

/** Exit codes by signal: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Reads the command line. Throws LocalError `bad_option`. */
export function readOptions(args: string[]): Options {
  const values = parse(args);
  const portBase = Number(values["port-base"]);
  const last = 65_536 - SERVICES.length;
  if (!/^\d+$/.test(values["port-base"]) || portBase > last) {
    throw new LocalError(
      "bad_option",
      `--port-base must be a number from 0 to ${last}, not "${values["port-base"]}".`,
    );
  }
  const { ephemeral, embedded, reset, json, help } = values;
  return { portBase, ephemeral, embedded, reset, json, help };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        "port-base": { type: "string", default: "4100" },
        ephemeral: { type: "boolean", default: false },
        embedded: { type: "boolean", default: false },
        reset: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LocalError("bad_option", `${message}\nSee --help for the options.`);
  }
}

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const asked = askedToStop();
  const begun = performance.now();
  try {
    const stack = await startStack({
      ...options,
      checkout: options.embedded ? "embedded" : "hosted",
      app: "dev",
      signal: asked.signal,
      onProgress: showProgress,
      onNotice: (text) => console.error(`! ${text}`),
      onLine: showLine,
    });
    serving = true;
    announce(stack, options, performance.now() - begun);
    const endSchedules = startSchedules(stack, showLine);
    const failure = await Promise.race([stack.failed, asked.exitCode.then(() => null)]);
    endSchedules();
    // What the processes say while they are stopped is no news.
    serving = false;
    await stack.stop();
    if (failure) throw failure;
  } catch (error) {
    if (!asked.signal.aborted) throw error;
  }
  return await asked.exitCode;
}

/** While the processes start, their output is shown only if one fails. */
let serving = false;

function showLine(name: string, line: string): void {
  const routine = name === "postgres" && line.includes(" LOG: ");
  if (serving && !routine) console.error(`[${name}] ${line}`);
}

function showProgress(step: string, milliseconds?: number): void {
  const [mark, time] = milliseconds === undefined ? ["…", ""] : ["✓", ` (${Math.round(milliseconds)} ms)`];
  console.error(`${mark} ${step}${time}`);
}

function announce({ urls, keys }: Stack, { json, ephemeral }: Options, milliseconds: number): void {
  if (json) {
    console.log(JSON.stringify({ ready: true, urls, keys }));
    return;
  }
  console.log(`
Dues is running, ${(milliseconds / 1000).toFixed(1)} s after the start.

  Parent app  ${urls.parent}   a community page with the plugin in it: start here
  Plugin      ${urls.plugin}
  Stripe      ${urls.stripe}   the simulator's dashboard
  Supabase    ${urls.supabase}
  Studio      http://${STUDIO_HOST}:${new URL(urls.supabase).port}   tables and rows
  PostgreSQL  ${urls.postgres}

${ephemeral ? "Nothing is kept." : "State is kept in .local; --reset deletes it."} Ctrl-C stops everything.`);
}

/** Listens from now on for signals to stop, and for the end of the programs that started this one. */
function askedToStop(): { signal: AbortSignal; exitCode: Promise<number> } {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<number>();
  const stop = (exitCode: number) => {
    if (!controller.signal.aborted) console.error("Stopping.");
    controller.abort();
    resolve(exitCode);
  };
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    Deno.addSignalListener(signal as keyof typeof SIGNALS, () => stop(exitCode));
  }
  wrapperGone().then(() => stop(SIGNALS.SIGTERM));
  return { signal: controller.signal, exitCode: promise };
}

if (import.meta.main) await runMain(() => main(Deno.args));
