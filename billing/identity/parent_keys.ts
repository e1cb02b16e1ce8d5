import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { z } from "zod";

/** How old the keys are when they are fetched anew, beside the requests that use them. */
const REFRESH_MS = 30_000;
/** How old they may be at most: a key that the parent app has removed works no longer than this. */
const MAX_AGE_MS = 60_000;
/** How long the parent app may take to answer. */
const FETCH_MS = 4_000;
/** For how long a key that the parent app did not have is not asked for again. */
const MISSING_MS = 10_000;
/** The pause between two fetches for unknown keys, and after a fetch that failed. */
const PAUSE_MS = 5_000;
/** Requests that wait for a pause to end; the next ones are refused at once. */
const MAX_WAITING = 20;
/** How many missing keys are remembered. */
const MAX_MISSING = 1_000;

const MAX_BYTES = 256 * 1024;
const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/** The parent app's keys cannot be had. */
export class KeysUnavailableError extends Error {
  override name = "KeysUnavailableError";
}

export interface ParentKeysOptions {
  url: string;
  /** Tokens for anybody else are junk, for which no key is fetched. */
  issuer: string;
  audience: string;
  /** In milliseconds; tests have their own. */
  now?: () => number;
}

/**
 * The parent app's public keys, from the address of its JWKS (RFC 7517).
 *
 * A new key works with its first token, a removed one for a minute at most. One fetch at a time serves all who wait for it, with
 * a deadline. Tokens that are not for this plugin or have expired never cause a fetch, and unknown keys cause one every five
 * seconds at most, whatever number of tokens names them: whoever sends junk does not reach the parent app through this server.
 */
export function parentKeys({ url, issuer, audience, now = Date.now }: ParentKeysOptions): JWTVerifyGetKey {
  type KeySet = { find: ReturnType<typeof createLocalJWKSet>; fetchedAt: number };
  let keys: KeySet | undefined;
  let fetching: Promise<KeySet> | undefined;
  let failedAt = -Infinity;
  let waiting = 0;
  const missing = new Map<string, number>();

  function fetchKeys(): Promise<KeySet> {
    fetching ??= (async () => {
      const fetchedAt = now();
      try {
        return keys = { find: createLocalJWKSet(await fetchKeySet(url)), fetchedAt };
      } catch (error) {
        failedAt = now();
        throw error;
      } finally {
        fetching = undefined;
      }
    })();
    return fetching;
  }

  /** Keys that are young enough. */
  async function currentKeys(): Promise<KeySet> {
    const age = keys ? now() - keys.fetchedAt : Infinity;
    if (keys && age < MAX_AGE_MS) {
      if (age >= REFRESH_MS && now() - failedAt >= PAUSE_MS) fetchKeys().catch(() => {});
      return keys;
    }
    if (!fetching && now() - failedAt < PAUSE_MS) {
      throw new KeysUnavailableError("The parent app's keys could not be fetched a moment ago.");
    }
    return await fetchKeys();
  }

  /** Keys that were fetched after this moment, once the pause since the last fetch is over; undefined when too many wait. */
  async function keysAfter(moment: number): Promise<KeySet | undefined> {
    if (waiting >= MAX_WAITING) return undefined;
    waiting++;
    try {
      const pause = Math.max(keys?.fetchedAt ?? 0, failedAt) + PAUSE_MS - now();
      if (!fetching && pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      // Somebody else may have fetched them meanwhile.
      return keys && keys.fetchedAt > moment ? keys : await fetchKeys();
    } finally {
      waiting--;
    }
  }

  return async (header, token) => {
    const asked = now();
    const { find } = await currentKeys();
    try {
      return await find(header, token);
    } catch (error) {
      const name = `${header.alg} ${header.kid}`;
      const isNews = error instanceof errors.JWKSNoMatchingKey && (header.kid?.length ?? 0) <= 200 &&
        isForUs(token.payload) && asked - (missing.get(name) ?? -Infinity) >= MISSING_MS;
      const newer = isNews ? await keysAfter(asked) : undefined;
      if (!newer) throw error;
      try {
        return await newer.find(header, token);
      } catch (stillMissing) {
        if (missing.size >= MAX_MISSING) missing.clear();
        missing.set(name, now());
        throw stillMissing;
      }
    }
  };

  /** What can be said of a token without its key. */
  function isForUs(payload: string | Uint8Array): boolean {
    try {
      const text = typeof payload === "string" ? payload : new TextDecoder().decode(payload);
      const { iss, aud, exp } = decodeJwt(`e30.${text}.`);
      return iss === issuer && [aud].flat().includes(audience) && Number(exp) * 1000 > now();
    } catch {
      return false;
    }
  }
}

async function fetchKeySet(url: string): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`It answered ${response.status}.`);
    }
    return keySetSchema.parse(JSON.parse(await readLimited(response.body!))) as JSONWebKeySet;
  } catch (cause) {
    throw new KeysUnavailableError("The parent app's keys cannot be fetched.", { cause });
  }
}

async function readLimited(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`It is larger than ${MAX_BYTES} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
