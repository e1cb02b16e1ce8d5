import { z } from "zod";

const times = z.int().min(1).max(1_000_000).default(1);
/** An event type or "METHOD /path" to which the fault applies; `*` stands for any text. */
const target = z.string().min(1).default("*");
const milliseconds = z.int().min(0).max(600_000);

/**
 * What can go wrong on demand. Faults with `delivery` in their name strike webhooks, those with `api` strike requests.
 * `next` is how many times a fault strikes before it is used up.
 */
export const faultSchema = z.discriminatedUnion("kind", [
  /** The event is never sent to the endpoint: a lost webhook. */
  z.strictObject({ kind: z.literal("drop_delivery"), target, next: times }),
  /** The event is sent twice. */
  z.strictObject({ kind: z.literal("duplicate_delivery"), target, next: times }),
  /** The first attempt comes later; other events overtake it. */
  z.strictObject({ kind: z.literal("delay_delivery"), target, next: times, ms: milliseconds }),
  /** The attempt fails without reaching the endpoint, and is retried. */
  z.strictObject({ kind: z.literal("fail_delivery"), target, next: times }),
  /** The request is answered with an error. With `carried_out` it has its effect all the same: only the reply is lost. */
  z.strictObject({
    kind: z.literal("api_error"),
    target,
    next: times,
    status: z.int().min(400).max(599).default(500),
    carried_out: z.boolean().default(false),
  }),
  /** The request is carried out and its reply comes later. */
  z.strictObject({ kind: z.literal("api_delay"), target, next: times, ms: milliseconds }),
  /** The request is carried out and the connection breaks before the reply is whole. */
  z.strictObject({ kind: z.literal("api_hang_up"), target, next: times }),
]);

export type Fault = z.output<typeof faultSchema>;
type Kind = Fault["kind"];

/** The faults that are still to strike. */
export class Faults {
  #faults: Fault[] = [];

  add(fault: Fault) {
    this.#faults.push({ ...fault });
  }

  clear() {
    this.#faults = [];
  }

  list(): Fault[] {
    return this.#faults;
  }

  /** The first fault of this kind that is meant for the subject; it is used up by one. */
  take<K extends Kind>(kind: K, subject: string): Extract<Fault, { kind: K }> | undefined {
    const isMeant = (fault: Fault): fault is Extract<Fault, { kind: K }> =>
      fault.kind === kind && matches(fault.target, subject);
    const fault = this.#faults.find(isMeant);
    if (!fault) return;
    fault.next -= 1;
    this.#faults = this.#faults.filter((fault) => fault.next > 0);
    return fault;
  }
}

function matches(pattern: string, subject: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(subject);
}
