/** Measures what the product promises about speed and size. `deno task demo` prints them. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import type { Stack } from "../local/stack.ts";
import { projectRoot } from "../local/paths.ts";
import { apiClient } from "../tests/http/client.ts";

/** A measured value and its upper limit. */
export interface Measure {
  name: string;
  value: number;
  unit: "s" | "ms" | "kB" | "MB";
  limit: number;
}

/** The time from `deno task dev` to the line that says the stack is ready, with packages already installed. */
export async function measureStart(portBase: number): Promise<Measure> {
  const begun = performance.now();
  const launcher = new Deno.Command(Deno.execPath(), {
    args: ["task", "dev", "--ephemeral", "--json", `--port-base=${portBase}`],
    cwd: projectRoot,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let ready = false;
  for await (const line of createInterface(Readable.fromWeb(launcher.stdout as never))) {
    ready = JSON.parse(line).ready;
    if (ready) break;
  }
  if (!ready) throw new Error(`deno task dev did not start (exit code ${(await launcher.status).code})`);
  const seconds = (performance.now() - begun) / 1000;
  launcher.kill("SIGINT");
  await launcher.status;
  return { name: "`deno task dev` until everything answers", value: seconds, unit: "s", limit: 15 };
}

const CALLS = 200;

/** The median of successive calls over HTTP. */
export async function measureBillingInfo(stack: Stack): Promise<Measure> {
  const api = apiClient(stack);
  const token = await api.signIn({ sub: "bench", cid: "bench", adm: true });
  const times: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const begun = performance.now();
    const { status } = await api.call("GET", "/api/community/billing-info", { token });
    if (status !== 200) throw new Error(`billing-info answered ${status}`);
    times.push(performance.now() - begun);
  }
  const median = times.sort((a, b) => a - b)[CALLS / 2];
  return { name: "billing info, median", value: median, unit: "ms", limit: 25 };
}

/** The size of all JavaScript that the billing page loads, gzipped. */
export async function measureScripts(stack: Stack): Promise<Measure> {
  const page = await (await fetch(stack.urls.plugin)).text();
  // A script element of type application/json holds the page's texts: data, not a script.
  const elements = page.matchAll(/<script(?![^>]*"application\/json")[^>]*>(.*?)<\/script>/gs);
  const inline = [...elements].map((match) => match[1]).join("\n");
  const scripts = new Map<string, string>();
  await loadImports(stack.urls.plugin, inline, scripts);
  const bytes = [inline, ...scripts.values()].reduce((sum, script) => sum + gzipSync(script).length, 0);
  return { name: "JavaScript of the billing page, gzipped", value: bytes / 1000, unit: "kB", limit: 20 };
}

/** Loads the static imports of a script, recursively, as a browser does. */
async function loadImports(base: string, script: string, known: Map<string, string>): Promise<void> {
  const specifiers = [...script.matchAll(/\b(?:from|import)\s*"(\.{0,2}\/[^"]+)"/g)].map((match) => match[1]);
  for (const url of specifiers.map((specifier) => new URL(specifier, base).href)) {
    if (known.has(url)) continue;
    known.set(url, "");
    const text = await (await fetch(url)).text();
    known.set(url, text);
    await loadImports(url, text, known);
  }
}

/** `billing info, median: 9.1 ms (at most 25 ms)` */
export const describeMeasure = ({ name, value, unit, limit }: Measure) =>
  `${name}: ${value.toFixed(1)} ${unit} (at most ${limit} ${unit})`;
