import { generateKeyPairSync } from "node:crypto";
import type { KeyPair } from "./answers.ts";
import { createCommonGround } from "./stand_in.ts";

/** A running stand-in for Common Ground. */
export interface RunningCommonGround extends AsyncDisposable {
  /** Its origin: `http://localhost:{port}`. */
  url: string;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** 0 or none for a free one. */
  port?: number;
  pluginUrl: string;
  /** The keys of the plugin. */
  requestKeys: KeyPair;
  /** Signs the answers; the same pair by default. */
  answerKeys?: KeyPair;
}

/**
 * Serves the stand-in on the loopback interface. Its host name is `localhost`, so that the plugin on `127.0.0.1` is
 * another site to the browser.
 */
export function startCommonGround(options: StartOptions): RunningCommonGround {
  const { pluginUrl, requestKeys, answerKeys = requestKeys } = options;
  const handler = createCommonGround({ pluginUrl, requestKeys, answerKeys });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
    handler,
  );
  const stop = () => server.shutdown();
  return { url: `http://localhost:${server.addr.port}`, stop, [Symbol.asyncDispose]: stop };
}

/** A new pair of RSA keys, as Common Ground makes one for each plugin. */
export function newKeyPair(): KeyPair {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}
