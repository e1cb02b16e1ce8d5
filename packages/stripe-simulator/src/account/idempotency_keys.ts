import { invalidRequest, StripeError } from "../wire/errors.ts";
import type { Collection } from "./collection.ts";

/** A reply to an API request. */
export interface Reply {
  status: number;
  body: string;
  /** The id of the request that was answered first. A repeated request has another one. */
  request?: string;
}

/** A used key with its request and the reply. */
export interface UsedKey {
  id: string;
  request: string;
  at: number;
  reply: Reply;
}

const longestKey = 255;
const keptForSeconds = 24 * 60 * 60;

/**
 * Implements `Idempotency-Key` (https://docs.stripe.com/api/idempotent_requests): for a day, a request with a known
 * key gets the first reply again, whether it was a success or an error. Requests that fail validation do not use up
 * their key.
 */
export class IdempotencyKeys {
  readonly #used: Collection<UsedKey>;
  readonly #running = new Map<string, Omit<UsedKey, "reply">>();

  /**
   * Keys with a reply are stored in the collection. Keys of running requests are not, because those requests end with
   * the simulator.
   */
  constructor(used: Collection<UsedKey>) {
    this.#used = used;
  }

  /**
   * Reserves the key for a request. Returns the saved reply when the request was answered before. Otherwise returns
   * nothing, and the caller must call `finish`. Throws a 400 when the key was used with other parameters, and a 409
   * while the first request is running.
   */
  begin(key: string, request: string, now: number): Reply | undefined {
    if (key.length > longestKey) {
      throw invalidRequest(`Idempotency keys must be at most ${longestKey} characters`);
    }
    this.#forgetOld(now);
    const used = this.#used.find(key);
    const first = used ?? this.#running.get(key);
    if (!first) {
      this.#running.set(key, { id: key, request, at: now });
      return;
    }
    if (first.request !== request) throw otherParameters(key);
    if (!used) throw inUse(key);
    return used.reply;
  }

  /** Saves the reply for later requests with the same key. */
  finish(key: string, reply: Reply) {
    const first = this.#running.get(key);
    if (!first) return;
    this.#running.delete(key);
    this.#used.put({ ...first, reply });
  }

  /** Keys are sorted by time, so the oldest come first. */
  #forgetOld(now: number) {
    for (const { id, at } of this.#used) {
      if (at > now - keptForSeconds) return;
      this.#used.remove(id);
    }
  }
}

function otherParameters(key: string): StripeError {
  const message =
    "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
    `Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeError(400, "idempotency_error", message);
}

function inUse(key: string): StripeError {
  const message = `There is currently another in-progress request using this Idempotency Key: ${key}. ` +
    "Please try again later.";
  return new StripeError(409, "idempotency_error", message, { code: "idempotency_key_in_use" });
}
