/** Runs the demo parent app: `deno run -A local/parent_app/main.ts --port N`. */

import { parseArgs } from "node:util";
import * as z from "zod";
import { startParent, type StartParentOptions } from "./start_parent.ts";

const origin = (example: string) =>
  z.url({ protocol: /^https?$/, error: `should be an address such as ${example}` })
    .transform((value) => new URL(value).origin);

const Environment = z.object({
  PARENT_APP_URL: origin("http://localhost:4100").optional(),
  PLUGIN_URL: origin("http://127.0.0.1:4101"),
  PARENT_APP_JWT_SECRET: z.string({ error: "should be a secret of at least 32 characters" })
    .min(32, "should be at least 32 characters long"),
  /** Where checkout and portal live in place of Stripe's own hosts. */
  STRIPE_API_BASE: origin("http://127.0.0.1:4103").optional(),
});

const Port = z.coerce.number().int().min(0).max(65_535);

function readPort(args: string[]): number {
  try {
    const { values } = parseArgs({ args, options: { port: { type: "string", default: "0" } } });
    const port = Port.safeParse(values.port);
    return port.data ?? fail(`--port should be a number from 0 to 65535, not "${values.port}"`);
  } catch (error) {
    return fail(`${(error as TypeError).message}. Usage: deno run -A local/parent_app/main.ts --port N`);
  }
}

function readEnvironment(): Omit<StartParentOptions, "port"> {
  const environment = Environment.safeParse(Deno.env.toObject());
  if (!environment.success) {
    const faults = environment.error.issues.map(({ path, message }) => `  ${path[0].toString()} ${message}`);
    return fail(`The demo parent app's environment is not complete:\n${faults.join("\n")}`);
  }
  const { PARENT_APP_URL, PLUGIN_URL, PARENT_APP_JWT_SECRET, STRIPE_API_BASE } = environment.data;
  return {
    parentUrl: PARENT_APP_URL,
    pluginUrl: PLUGIN_URL,
    jwtSecret: PARENT_APP_JWT_SECRET,
    extraOpenOrigins: STRIPE_API_BASE ? [STRIPE_API_BASE] : [],
  };
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

const options = { port: readPort(Deno.args), ...readEnvironment() };
try {
  const parent = startParent(options);
  console.log(`Demo parent app: ${parent.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => parent.stop().then(() => Deno.exit(0)));
  }
} catch (error) {
  if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  fail(`Port ${options.port} is in use: choose another with --port N`);
}
