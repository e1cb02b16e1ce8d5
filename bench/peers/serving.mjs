// What the servers of both peers have in common: Node's own HTTP server.
import http from "node:http";

export function serve(port, handle) {
  const server = http.createServer(async (request, response) => {
    try {
      await handle(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error?.stack ?? error));
    }
  });
  server.keepAliveTimeout = 600_000;
  server.listen(port, "127.0.0.1");
}

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
