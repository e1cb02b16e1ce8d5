import { parseArgs } from "node:util";
import { serveSimulator, StateFileError } from "./mod.ts";

const usage = `usage: deno run -A packages/stripe-simulator/main.ts [--port N] [--state FILE]
  --port N      the port to listen on, on 127.0.0.1 (0, the default: any free one)
  --state FILE  save the state in FILE and load it at the next start`;

/** A wrong use of the program. Only its message is printed. */
class UsageError extends Error {}

function readOptions(args: string[]): { port: number; state: string | undefined } {
  const { values } = parse(args);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`--port must be a number between 0 and 65535, not ${values.port}\n${usage}`);
  }
  return { port, state: values.state };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: { port: { type: "string", default: "0" }, state: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

async function start(args: string[]) {
  const { port, state } = readOptions(args);
  try {
    return await serveSimulator({ port, state });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UsageError(`Port ${port} is in use. Choose another one with --port.`);
    }
    if (error instanceof StateFileError) throw new UsageError(error.message);
    throw error;
  }
}

async function main() {
  const stripe = await start(Deno.args);
  console.log(`Stripe simulator: ${stripe.url}`);
  const stop = async () => {
    await stripe.stop();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
