import type { Collection } from "./collection.ts";
import { invalidRequest, StripeError } from "../wire/errors.ts";

/** A reply as it goes over the wire. */
export interface Reply {
  status: number;
  body: string;
}

/** A key that was used, with the request that used it and what it was answered. */
export interface UsedKey {
  /** The key itself. */
  id: string;
  request: string;
  at: number;
  reply: Reply;
}

const longestKey = 255;
const keptForSeconds = 24 * 60 * 60;

/**
 * The memory behind `Idempotency-Key` (https://docs.stripe.com/api/idempotent_requests): the first reply to a key is
 * given again for a day, success or not. Requests that fail validation never get here.
 */
export class IdempotencyKeys {
  readonly #used: Collection<UsedKey>;
  readonly #running = new Map<string, Omit<UsedKey, "reply">>();

  /** Answered keys are kept in the collection; those of running requests are not, as they end with the simulator. */
  constructor(used: Collection<UsedKey>) {
    this.#used = used;
  }

  /**
   * Takes the key for a request. Returns the saved reply when the request was answered before, else nothing: then the
   * caller must `finish` the key. Throws 400 for a key used with other parameters, 409 while the first request runs.
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

  /** Saves the reply for those who ask with the same key. */
  finish(key: string, reply: Reply) {
    const first = this.#running.get(key);
    if (!first) return;
    this.#running.delete(key);
    this.#used.put({ ...first, reply });
  }

  /** Keys are in the order of their time, so the old ones are in front. */
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
