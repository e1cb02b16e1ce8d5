/**
 * Serves a module of the form `export default { fetch }` on 127.0.0.1, as `deno serve` does, for the children of the
 * local stack, which need the preloaded module that `deno serve` does not run:
 * `deno run local/processes/serve_module.ts MODULE PORT`
 */
import { pathToFileURL } from "node:url";

/** What it prints once it listens. */
export const SERVING_LINE = "serving";

if (import.meta.main) {
  const [path, port] = Deno.args;
  const { default: module } = await import(pathToFileURL(path).href);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: Number(port), onListen: () => console.log(SERVING_LINE) },
    module.fetch,
  );
  Deno.addSignalListener("SIGTERM", async () => {
    await server.shutdown();
    Deno.exit(0);
  });
}
