/**
 * Starts the built server with exactly the permissions that its configuration needs: `deno task start`.
 *
 * Reads the configuration, refuses an incomplete or unsafe one, and runs serve.ts in a process that may reach the hosts of the
 * configuration only, read its variables only, and read no file but its own. The process is stopped with this one.
 */
import { fileURLToPath } from "node:url";
import { configOrExit, readEnvironment, readServerConfig } from "../billing/config.ts";
import { serverPermissions } from "../billing/permissions.ts";
import { version } from "../billing/version.ts";
import { ListenAddressError, readAddress } from "./listen_address.ts";

if (Deno.args.includes("--version")) {
  console.log(`Dues ${version}`);
  Deno.exit(0);
}
const config = configOrExit(readServerConfig);
const address = addressOrExit();

const server = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "--no-prompt",
    "--cached-only",
    ...serverPermissions(config, address),
    fileURLToPath(import.meta.resolve("./serve.ts")),
    ...Deno.args,
  ],
  cwd: fileURLToPath(import.meta.resolve("../")),
  stdin: "null",
}).spawn();

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => {
    try {
      server.kill("SIGTERM");
    } catch {
      // It has ended, and this process ends with it below.
    }
  });
}
Deno.exit((await server.status).code);

function addressOrExit() {
  try {
    return readAddress(Deno.args, readEnvironment());
  } catch (error) {
    if (!(error instanceof ListenAddressError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
