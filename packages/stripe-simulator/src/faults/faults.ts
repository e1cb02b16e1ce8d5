import { z } from "zod";
import { seededRandom } from "./seeded_random.ts";

const milliseconds = z.int().min(0).max(600_000);

/** Which requests or deliveries a fault applies to, and how often. */
const occasion = {
  /** An event type or "METHOD /path". `*` matches any text. */
  target: z.string().min(1).default("*"),
  /** How often the fault occurs before it is removed. Defaults to 1, or to no limit when a probability is given. */
  next: z.int().min(1).max(1_000_000).optional(),
  /** The probability of the fault at each match. */
  probability: z.number().gt(0).max(1).optional(),
  /** The seed of the random choices. The same seed gives the same choices. */
  seed: z.int().optional(),
};

/**
 * The faults that can be requested. Kinds with `delivery` in their name affect webhooks, kinds with `api` affect
 * requests.
 */
export const faultSchema = z.discriminatedUnion("kind", [
  /** The event is never sent to the endpoint. */
  z.strictObject({ kind: z.literal("drop_delivery"), ...occasion }),
  /** The event is sent twice. */
  z.strictObject({ kind: z.literal("duplicate_delivery"), ...occasion }),
  /** The first attempt is delayed, so that later events arrive before it. */
  z.strictObject({ kind: z.literal("delay_delivery"), ...occasion, ms: milliseconds }),
  /** The event is sent after the next `places` events to the endpoint, or after `ms` milliseconds. */
  z.strictObject({
    kind: z.literal("reorder_delivery"),
    ...occasion,
    places: z.int().min(1).max(1000).default(1),
    ms: milliseconds.default(500),
  }),
  /**
   * The attempt fails and is retried. With `reached`, the endpoint receives the event and only its response is lost.
   */
  z.strictObject({
    kind: z.literal("fail_delivery"),
    ...occasion,
    reached: z.boolean().optional(),
  }),
  /**
   * The request is answered with an error. With `carried_out`, it has its effect and only the reply is replaced. With
   * `stored`, as for 5xx by default, Stripe itself failed: a request with an idempotency key gets the same error
   * again, and a key that has a reply already gets that one. Without it something before Stripe failed, and a
   * repeated request is carried out.
   */
  z.strictObject({
    kind: z.literal("api_error"),
    ...occasion,
    status: z.int().min(400).max(599).default(500),
    carried_out: z.boolean().default(false),
    stored: z.boolean().optional(),
  }),
  /** The request is carried out and its reply is delayed. */
  z.strictObject({ kind: z.literal("api_delay"), ...occasion, ms: milliseconds }),
  /**
   * The request is not answered. The connection breaks after `ms` milliseconds, unless the client gives up earlier.
   */
  z.strictObject({
    kind: z.literal("api_time_out"),
    ...occasion,
    ms: milliseconds.default(120_000),
    carried_out: z.boolean().default(false),
  }),
  /**
   * The request is never answered, and the connection stays open. With `headers`, the status and the headers arrive
   * and the body never ends.
   */
  z.strictObject({
    kind: z.literal("api_silence"),
    ...occasion,
    carried_out: z.boolean().default(false),
    headers: z.boolean().default(false),
  }),
  /** The request is carried out and the connection breaks in the middle of the reply. */
  z.strictObject({ kind: z.literal("api_hang_up"), ...occasion }),
]);

export type Fault = z.output<typeof faultSchema>;
type Kind = Fault["kind"];

interface ActiveFault {
  fault: Fault;
  random: () => number;
}

/** The faults that were requested and are not used up. */
export class Faults {
  #active: ActiveFault[] = [];

  add(fault: Fault) {
    const next = fault.next ?? (fault.probability === undefined ? 1 : undefined);
    const counted: Fault = next === undefined ? { ...fault } : { ...fault, next };
    this.#active.push({ fault: counted, random: seededRandom(fault.seed ?? 1) });
  }

  clear() {
    this.#active = [];
  }

  list(): Fault[] {
    return this.#active.map(({ fault }) => fault);
  }

  /**
   * Returns the first fault of this kind that applies to the subject, an event type or "METHOD /path", and is wanted.
   * Counts it as used once.
   */
  take<K extends Kind>(
    kind: K,
    subject: string,
    isWanted: (fault: Extract<Fault, { kind: K }>) => boolean = () => true,
  ): Extract<Fault, { kind: K }> | undefined {
    for (const { fault, random } of this.#active) {
      if (!isOfKind(fault, kind) || !matches(fault.target, subject) || !isWanted(fault)) continue;
      if (fault.probability !== undefined && random() >= fault.probability) continue;
      this.#useUp(fault);
      return fault;
    }
  }

  #useUp(fault: Fault) {
    if (fault.next === undefined) return;
    fault.next -= 1;
    if (fault.next === 0) this.#active = this.#active.filter((active) => active.fault !== fault);
  }
}

function isOfKind<K extends Kind>(fault: Fault, kind: K): fault is Extract<Fault, { kind: K }> {
  return fault.kind === kind;
}

function matches(pattern: string, subject: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(subject);
}
