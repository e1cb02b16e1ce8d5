import { parseArgs } from "node:util";

/** Where to listen. */
export interface ListenAddress {
  hostname: string;
  port: number;
  limits: { maxConnections?: number };
}

/** An argument or a variable says something that is no address. */
export class ListenAddressError extends Error {
  override name = "ListenAddressError";
}

/**
 * Where to listen: `--host` and `--port`, else HOST and PORT, else port 8000 of this machine only. A server that others can
 * reach without the proxy in front is one that somebody asked for. `--max-connections` bounds open connections.
 *
 * Throws `ListenAddressError`.
 */
export function readAddress(args: string[], env: Record<string, string | undefined>): ListenAddress {
  const values = parse(args);
  const hostname = values.host ?? values.hostname ?? (env.HOST || "127.0.0.1");
  if (!/^[\w.:-]+$/.test(hostname)) {
    throw new ListenAddressError(
      `The host should be a name or an address, such as 127.0.0.1, not ${hostname}`,
    );
  }
  const maxConnections = values["max-connections"];
  return {
    hostname,
    port: whole("port", values.port ?? (env.PORT || "8000"), 0, 65_535),
    limits: maxConnections === undefined
      ? {}
      : { maxConnections: whole("number of connections", maxConnections, 8, 100_000) },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        host: { type: "string" },
        hostname: { type: "string" },
        port: { type: "string" },
        "max-connections": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new ListenAddressError(error instanceof Error ? error.message : String(error));
  }
}

function whole(what: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new ListenAddressError(`The ${what} should be a whole number from ${least} to ${most}, not ${text}`);
}
