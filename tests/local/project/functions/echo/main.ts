// Tells what it was sent and what it can reach.
import { attempt } from "../_shared/attempt.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    return Response.json({
      method: request.method,
      path: pathname + search,
      body: await request.text(),
      signature: request.headers.get("stripe-signature"),
      env: Deno.env.toObject(),
      ownModule: await attempt(() =>
        Deno.readTextFile(new URL(import.meta.url)).then((text) => text.length > 0)
      ),
      secrets: await attempt(() => Deno.readTextFile(".local/secrets.json")),
      write: await attempt(() => Deno.writeTextFile("written-by-a-function", "")),
      run: await attempt(() => new Deno.Command("true").output()),
      elsewhere: await attempt(() => Deno.connect({ hostname: "127.0.0.1", port: 1 })),
    }, { status: 202, headers: { "x-echo": "yes" } });
  },
};
