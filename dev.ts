/** Fresh's builder: `deno run -A dev.ts` serves from source with live reload, `deno run -A dev.ts build` builds. */

import { Builder } from "fresh/dev";

const builder = new Builder();
if (Deno.args.includes("build")) {
  await builder.build();
} else {
  const port = Number(Deno.env.get("PORT") ?? 4101);
  await builder.listen(() => import("./main.ts"), { hostname: "127.0.0.1", port });
}
