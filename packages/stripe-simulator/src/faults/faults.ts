import { z } from "zod";
import { seededRandom } from "./seeded_random.ts";

const milliseconds = z.int().min(0).max(600_000);

/** When a fault strikes, and whom. */
const occasion = {
  /** An event type or "METHOD /path" to which the fault applies; `*` stands for any text. */
  target: z.string().min(1).default("*"),
  /** How many times it strikes before it is used up: once, or without end when a probability is given. */
  next: z.int().min(1).max(1_000_000).optional(),
  /** How likely it strikes each time. */
  probability: z.number().gt(0).max(1).optional(),
  /** The same seed makes the same choices. */
  seed: z.int().optional(),
};

/** What can go wrong on demand. Kinds with `delivery` in their name strike webhooks, those with `api` strike requests. */
export const faultSchema = z.discriminatedUnion("kind", [
  /** The event is never sent to the endpoint: a lost webhook. */
  z.strictObject({ kind: z.literal("drop_delivery"), ...occasion }),
  /** The event is sent twice. */
  z.strictObject({ kind: z.literal("duplicate_delivery"), ...occasion }),
  /** The first attempt comes later; other events overtake it. */
  z.strictObject({ kind: z.literal("delay_delivery"), ...occasion, ms: milliseconds }),
  /** The event waits until the next `places` events to the endpoint have overtaken it, at most `ms`. */
  z.strictObject({
    kind: z.literal("reorder_delivery"),
    ...occasion,
    places: z.int().min(1).max(1000).default(1),
    ms: milliseconds.default(500),
  }),
  /** The attempt fails and is retried. With `reached` the endpoint got the event: only its answer is lost. */
  z.strictObject({
    kind: z.literal("fail_delivery"),
    ...occasion,
    reached: z.boolean().optional(),
  }),
  /** The request is answered with an error. With `carried_out` it has its effect all the same: only the reply is lost. */
  z.strictObject({
    kind: z.literal("api_error"),
    ...occasion,
    status: z.int().min(400).max(599).default(500),
    carried_out: z.boolean().default(false),
  }),
  /** The request is carried out and its reply comes later. */
  z.strictObject({ kind: z.literal("api_delay"), ...occasion, ms: milliseconds }),
  /** The request is never answered: the caller gives up, or the connection breaks after `ms`. */
  z.strictObject({
    kind: z.literal("api_time_out"),
    ...occasion,
    ms: milliseconds.default(120_000),
    carried_out: z.boolean().default(false),
  }),
  /** The request is carried out and the connection breaks before the reply is whole. */
  z.strictObject({ kind: z.literal("api_hang_up"), ...occasion }),
]);

export type Fault = z.output<typeof faultSchema>;
type Kind = Fault["kind"];

interface Standing {
  fault: Fault;
  random: () => number;
}

/** The faults that are still to strike. */
export class Faults {
  #standing: Standing[] = [];

  add(fault: Fault) {
    const next = fault.next ?? (fault.probability === undefined ? 1 : undefined);
    const counted: Fault = next === undefined ? { ...fault } : { ...fault, next };
    this.#standing.push({ fault: counted, random: seededRandom(fault.seed ?? 1) });
  }

  clear() {
    this.#standing = [];
  }

  list(): Fault[] {
    return this.#standing.map(({ fault }) => fault);
  }

  /** The first fault of this kind that strikes the subject; it is used up by one. */
  take<K extends Kind>(kind: K, subject: string): Extract<Fault, { kind: K }> | undefined {
    for (const { fault, random } of this.#standing) {
      if (!isOfKind(fault, kind) || !matches(fault.target, subject)) continue;
      if (fault.probability !== undefined && random() >= fault.probability) continue;
      this.#useUp(fault);
      return fault;
    }
  }

  #useUp(fault: Fault) {
    if (fault.next === undefined) return;
    fault.next -= 1;
    if (fault.next === 0) this.#standing = this.#standing.filter((standing) => standing.fault !== fault);
  }
}

function isOfKind<K extends Kind>(fault: Fault, kind: K): fault is Extract<Fault, { kind: K }> {
  return fault.kind === kind;
}

function matches(pattern: string, subject: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(subject);
}
