/** Runs the demo parent app: `deno run -A local/parent/main.ts --port N`. */

import { parseArgs } from "node:util";
import * as z from "zod";
import { startParent } from "./start.ts";

const origin = z.url({ protocol: /^https?$/ }).transform((value) => new URL(value).origin);

const Environment = z.object({
  PARENT_APP_URL: origin.optional(),
  PLUGIN_URL: origin,
  PARENT_APP_JWT_SECRET: z.string().min(32, "at least 32 characters"),
  /** Where checkout and portal live in place of Stripe's own hosts. */
  STRIPE_API_BASE: origin.optional(),
});

const Port = z.coerce.number().int().min(0).max(65_535);

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

const { values } = parseArgs({ args: Deno.args, options: { port: { type: "string", default: "0" } } });
const port = Port.safeParse(values.port);
if (!port.success) fail(`--port must be a number from 0 to 65535, not "${values.port}"`);
const environment = Environment.safeParse(Deno.env.toObject());
if (!environment.success) {
  fail(`The demo parent app's environment is wrong:\n${z.prettifyError(environment.error)}`);
}

const { PARENT_APP_URL, PLUGIN_URL, PARENT_APP_JWT_SECRET, STRIPE_API_BASE } = environment.data;
try {
  const parent = startParent({
    port: port.data,
    parentUrl: PARENT_APP_URL,
    pluginUrl: PLUGIN_URL,
    jwtSecret: PARENT_APP_JWT_SECRET,
    extraOpenOrigins: STRIPE_API_BASE ? [STRIPE_API_BASE] : [],
  });
  console.log(`Demo parent app: ${parent.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => parent.stop().then(() => Deno.exit(0)));
  }
} catch (error) {
  if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  fail(`Port ${port.data} is in use: choose another with --port`);
}
