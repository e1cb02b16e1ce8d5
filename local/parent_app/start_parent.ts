import { createParentApp } from "./demo_parent.ts";

/** A running demo parent app. */
export interface RunningParent {
  /** Its origin: `http://localhost:{port}`. */
  url: string;
  stop(): Promise<void>;
}

export interface StartParentOptions {
  /** 0 or none for a free one. */
  port?: number;
  /** How browsers reach it, if not by `http://localhost:{port}`. */
  parentUrl?: string;
  pluginUrl: string;
  jwtSecret: string;
  extraOpenOrigins?: string[];
}

/**
 * Serves the demo parent app on the loopback interface. Its host name is `localhost`, so that the plugin on
 * `127.0.0.1` is another site to the browser, as in production.
 *
 * @throws {Deno.errors.AddrInUse} when the port is taken.
 */
export function startParent(options: StartParentOptions): RunningParent {
  const { pluginUrl, jwtSecret, extraOpenOrigins = [] } = options;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
    (request) => app(request),
  );
  const url = options.parentUrl ?? `http://localhost:${server.addr.port}`;
  const app = createParentApp({ parentUrl: url, pluginUrl, jwtSecret, extraOpenOrigins });
  return { url, stop: () => server.shutdown() };
}
