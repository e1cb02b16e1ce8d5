/**
 * How long a caller waits. The plugin's page gives up after 20 seconds (`browser/api/client.ts`), so every request is answered
 * before that. What a request asks of others is bounded by the same deadline: nothing goes on for long after the answer.
 */
export const REQUEST_MS = 15_000;

/** A moment by which work has to be done. It is made where the work begins and passed to everything that waits. */
export class Deadline {
  readonly #at: number;

  private constructor(at: number) {
    this.#at = at;
  }

  /** The moment `ms` milliseconds from now. */
  static in(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
  }

  /** The milliseconds left, in whole numbers; 0 when it has passed. */
  get remaining(): number {
    return Math.max(0, Math.floor(this.#at - performance.now()));
  }

  /** The milliseconds left, but at most `ms`. */
  atMost(ms: number): number {
    return Math.min(ms, this.remaining);
  }

  /** The result of the work if it is done in time. Otherwise rejects with `late()`, and nobody waits for the work any more. */
  async orLate<T>(work: Promise<T>, late: () => unknown): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const passed = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), this.remaining);
    });
    try {
      return await Promise.race([work, passed]);
    } finally {
      clearTimeout(timer);
    }
  }
}
