/** A server with few file descriptors for descriptors_test.ts: `deno run tests/abuse/small_server.ts`. Answers its own counts. */
import { listen } from "../../server/http_server.ts";

const server = await listen(() => Response.json(server.counts), { hostname: "127.0.0.1", port: 0 });
console.log(server.port);
