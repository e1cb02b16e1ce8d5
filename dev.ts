/**
 * `deno run -A dev.ts` serves the plugin from source with live reload, on the port in PORT; `deno run -A dev.ts build`
 * writes what goes into production: the server to `_fresh/`, the parent app's script to `packages/parent/dist/`.
 */

import { Builder } from "fresh/dev";
import { writeDist } from "./packages/parent/bundle.ts";

const builder = new Builder();
if (Deno.env.get("DUES_EXAMPLES") === "true") {
  builder.registerIsland(import.meta.resolve("./examples/assistant/Assistant.tsx"));
}
if (Deno.args.includes("build")) {
  await Promise.all([builder.build(), writeDist()]);
} else {
  const port = Number(Deno.env.get("PORT") ?? 4101);
  await builder.listen(() => import("./main.ts"), { hostname: "127.0.0.1", port });
}
