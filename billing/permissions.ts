import type { ServerConfig } from "./config.ts";
import { variableNames } from "./config.ts";

/** What the server listens at. */
interface Address {
  hostname: string;
  port: number;
}

/** Variables that the server reads besides those of the configuration: what its libraries look for. */
const OTHER_VARIABLES = ["NODE_ENV", "NODE_PG_FORCE_NATIVE", "PG*", "USER", "USERNAME"];

/** What pages load, and the thread that signs for Common Ground. */
const FILES = ["_fresh/public", "billing/identity/signing_worker.ts"];

const STRIPE_API = "https://api.stripe.com";

/**
 * The permissions that the plugin server needs with this configuration, as arguments of `deno run`: the hosts that it
 * connects to and listens at, the variables that it reads, and its own built files. It writes no file, runs no program and
 * loads no code.
 */
export function serverPermissions(config: ServerConfig, address: Address): string[] {
  const database = new URL(config.databaseUrl);
  // The server also connects to itself, to see whether it is accepted.
  const own = { "0.0.0.0": ["0.0.0.0", "127.0.0.1"], "::": ["::", "::1"] }[address.hostname] ??
    [address.hostname];
  const hosts = [
    ...own.map((name) => address.port === 0 ? bracketed(name) : `${bracketed(name)}:${address.port}`),
    `${database.hostname}:${database.port || 5432}`,
    ...webHosts(config),
  ];
  // Certificates that the connection string names.
  const certificates = ["sslrootcert", "sslcert", "sslkey"].flatMap((name) =>
    database.searchParams.get(name) ?? []
  );
  return [
    `--allow-net=${[...new Set(hosts)].join(",")}`,
    `--allow-env=${[...variableNames, ...OTHER_VARIABLES].join(",")}`,
    `--allow-read=${[...FILES, ...certificates].join(",")}`,
  ];
}

/** The web hosts that the server calls, with their ports. */
function webHosts({ stripe, identity }: ServerConfig): string[] {
  const urls = [
    stripe.apiBase ?? STRIPE_API,
    ...(identity.provider === "token" && identity.key.jwksUrl ? [identity.key.jwksUrl] : []),
  ];
  return urls.map((text) => {
    const url = new URL(text);
    return `${url.hostname}:${url.port || (url.protocol === "http:" ? 80 : 443)}`;
  });
}

const bracketed = (hostname: string) =>
  hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
