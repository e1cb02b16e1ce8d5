/**
 * The HTTP server in front of the app's fetch handler.
 *
 * `Deno.serve` has no deadline for headers and no bound on connections, so anybody with a few hundred sockets can hold it.
 * node:http has both, and `@hono/node-server` turns its requests into web ones. On top of these:
 *
 * 1. The number of connections is bounded. When it is reached, the connection that has waited longest without a complete
 *    request makes room for the new one: silent and half-open connections can never keep out somebody who sends a request.
 * 2. Headers, the whole request, the answer and an idle connection each have a deadline.
 * 3. Errors of connections end nothing but the connection. When accepting fails because the process is out of file
 *    descriptors, the runtime accepts nothing any more, and says nothing; so the server connects to itself every few seconds,
 *    makes room when it cannot, and listens anew when it is not accepted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { requestFailed, requestUnreadable } from "./bare_answers.ts";
import { rememberPeer } from "./client_address.ts";

/** Answers one request. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** What connections may take. Times are in milliseconds. */
export interface ConnectionLimits {
  /** Open connections. The process needs about 250 more file descriptors, for the database, Stripe and files. */
  maxConnections: number;
  /** From the first byte, or the opening of the connection, to the end of the headers. */
  headersMs: number;
  /** To the end of the body. */
  requestMs: number;
  /** From the end of the headers to the end of the answer, however slowly it is taken. */
  answerMs: number;
  /** How long a connection is kept for another request. Longer than a proxy keeps it, else the proxy meets closed ones. */
  idleMs: number;
  /** Of all headers together. */
  maxHeaderBytes: number;
}

export const defaultLimits: ConnectionLimits = {
  maxConnections: 512,
  headersMs: 10_000,
  requestMs: 15_000,
  answerMs: 45_000,
  idleMs: 65_000,
  maxHeaderBytes: 16 * 1024,
};

/** How often the server tries whether it is accepted, and how long it waits. */
const PROBE_MS = 3_000;
const ACCEPT_MS = 2_000;

/** How often node:http looks for deadlines that have passed. */
const CHECK_MS = 500;

export interface ListenOptions {
  hostname: string;
  /** 0 chooses a free one. */
  port: number;
  limits?: Partial<ConnectionLimits>;
}

/** A server that listens. */
export interface HttpServer extends AsyncDisposable {
  hostname: string;
  port: number;
  /** What has happened to connections since the start. */
  counts: Readonly<ConnectionCounts>;
  /** Takes no more connections and resolves when the requests under way are answered, after ten seconds at most. */
  close(): Promise<void>;
}

/** Counts of connections. */
export interface ConnectionCounts {
  open: number;
  /** Closed to make room for another one. */
  evicted: number;
  /** Refused because all others were being answered. */
  refused: number;
  /** Closed because their request was no HTTP, too large or too slow. */
  faulty: number;
  /** How often the server had to listen anew because nothing was accepted any more. */
  relistened: number;
}

/**
 * Listens, and resolves when it does. Rejects when the address cannot be listened at.
 */
export async function listen(fetch: Fetch, { hostname, port, limits }: ListenOptions): Promise<HttpServer> {
  const bounds = { ...defaultLimits, ...limits };
  const counts: ConnectionCounts = { open: 0, evicted: 0, refused: 0, faulty: 0, relistened: 0 };
  const answer = getRequestListener(
    (request, bindings) => {
      // The types of node:http and of its HTTP/2 namesake; only the first are served here.
      rememberPeer(request, (bindings as { incoming: IncomingMessage }).incoming.socket.remoteAddress);
      return fetch(request);
    },
    {
      errorHandler: (error) =>
        (error as Error).name === "RequestError" ? requestUnreadable() : requestFailed(error),
    },
  );
  const server = createServer({
    headersTimeout: bounds.headersMs,
    requestTimeout: bounds.requestMs,
    keepAliveTimeout: bounds.idleMs,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: bounds.maxHeaderBytes,
    noDelay: true,
    requireHostHeader: true,
  }, (incoming, outgoing) => {
    void answer(incoming, outgoing);
  });
  const makeRoom = boundConnections(server, bounds, counts);
  closeFaulty(server, counts);

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, hostname, () => {
    server.off("error", reject);
    server.on("error", (error) => console.error("A connection could not be accepted:", error.message));
    resolve();
  });
  await listening;
  const address = server.address() as { port: number };
  const stopWatching = keepAccepting(server, { hostname, port: address.port }, makeRoom, counts);
  const close = () => {
    stopWatching();
    return closeServer(server);
  };
  return { hostname, port: address.port, counts, close, [Symbol.asyncDispose]: close };
}

/**
 * Keeps at most `maxConnections`, and ends answers that nobody takes. Returns a function that closes the connections which have
 * waited longest, so many of them.
 */
function boundConnections(
  server: Server,
  bounds: ConnectionLimits,
  counts: ConnectionCounts,
): (howMany: number) => void {
  /** Connections without a complete request, the one that has waited longest first. */
  const waiting = new Set<Socket>();

  function makeRoom(howMany: number): void {
    for (const oldest of [...waiting].slice(0, howMany)) {
      counts.evicted++;
      waiting.delete(oldest);
      oldest.destroy();
    }
  }

  server.on("connection", (socket: Socket) => {
    if (counts.open >= bounds.maxConnections) {
      if (waiting.size === 0) {
        counts.refused++;
        socket.destroy();
        return;
      }
      makeRoom(1);
    }
    counts.open++;
    waiting.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      waiting.delete(socket);
      counts.open--;
    });
  });

  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming;
    const hasBody = incoming.headers["content-length"] !== undefined ||
      incoming.headers["transfer-encoding"] !== undefined;
    // A connection whose body has not come yet waits as one without headers does.
    if (!hasBody) waiting.delete(socket);
    else incoming.once("end", () => waiting.delete(socket));
    const tooSlow = setTimeout(() => socket.destroy(), bounds.answerMs);
    outgoing.once("close", () => {
      clearTimeout(tooSlow);
      if (socket.destroyed) return;
      waiting.delete(socket);
      waiting.add(socket);
    });
  });
  return makeRoom;
}

/** See 3. above. Returns a function that ends the watch. */
function keepAccepting(
  server: Server,
  { hostname, port }: { hostname: string; port: number },
  makeRoom: (howMany: number) => void,
  counts: ConnectionCounts,
): () => void {
  const own = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
  let probe: Socket | undefined;

  async function watch(): Promise<void> {
    const fault = await isAccepted();
    if (fault === undefined || !server.listening) return;
    makeRoom(Math.max(16, Math.ceil(counts.open / 4)));
    if (fault === "EMFILE" || fault === "ENFILE") {
      console.error("The server is out of file descriptors. See --max-connections.");
      return;
    }
    counts.relistened++;
    console.error(`The server was not reached at its own address (${fault}) and listens anew.`);
    // Stops listening at once; connections that are open go on.
    server.close();
    server.listen(port, hostname);
  }

  /** Undefined if it is, else why not. */
  function isAccepted(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const end = (fault?: string) => {
        clearTimeout(timer);
        server.off("connection", onConnection);
        probe?.destroy();
        resolve(fault);
      };
      // Either side may hear of the connection first.
      const accepted = new Set<number | undefined>();
      const compare = () => probe?.localPort !== undefined && accepted.has(probe.localPort) && end();
      const onConnection = ({ remotePort }: Socket) => {
        accepted.add(remotePort);
        compare();
      };
      const timer = setTimeout(() => end("not accepted"), ACCEPT_MS);
      server.on("connection", onConnection);
      probe = connect(port, own, compare);
      probe.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    });
  }

  let isWatching = false;
  const interval = setInterval(async () => {
    if (isWatching) return;
    isWatching = true;
    await watch().catch((error) => console.error(error));
    isWatching = false;
  }, PROBE_MS);
  return () => {
    clearInterval(interval);
    probe?.destroy();
  };
}

/** Answers what is no HTTP request, in the few cases in which an answer can be told from one to an earlier request. */
function closeFaulty(server: Server, counts: ConnectionCounts): void {
  const status: Record<string, string> = {
    HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
    ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  };
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    counts.faulty++;
    if (!socket.writable || error.code === "ECONNRESET" || socket.bytesWritten > 0) {
      return void socket.destroy();
    }
    socket.end(
      `HTTP/1.1 ${
        status[error.code ?? ""] ?? "400 Bad Request"
      }\r\nConnection: close\r\nContent-Length: 0\r\n` +
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n",
    );
    // What the other side still sends is not read.
    setTimeout(() => socket.destroy(), CHECK_MS);
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cutShort = setTimeout(() => server.closeAllConnections(), 10_000);
  await closed;
  clearTimeout(cutShort);
}
