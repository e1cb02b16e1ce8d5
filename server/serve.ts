/**
 * Serves what was built: `deno task start` runs this with exactly the permissions that it needs (see start.ts).
 *
 * The address comes from `--host` and `--port`, else from HOST and PORT, else it is 127.0.0.1:8000.
 */
import process from "node:process";
import { readEnvironment } from "../billing/config.ts";
import { listen } from "./http_server.ts";
import { readAddress } from "./listen_address.ts";

const began = performance.now();
const address = readAddress(Deno.args, readEnvironment());
// @ts-ignore: it exists once it is built. A literal, so that Deno finds the module without asking for the permission to read it.
const { default: { fetch } } = await import("../_fresh/server.js");
const server = await listen(fetch, address);
console.log(
  `Dues listens at http://${server.hostname}:${server.port}/ (started in ${
    Math.round(performance.now() - began)
  } ms)`,
);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    await server.close();
    process.exit(0);
  });
}
