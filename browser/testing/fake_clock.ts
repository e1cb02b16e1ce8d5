/** Replaces `setTimeout`, `clearTimeout` and `Date.now` until it is disposed. Time passes only on request. */
export class FakeClock implements Disposable {
  #now = Date.parse("2027-01-01T00:00:00Z");
  #timers = new Map<number, { at: number; run: () => void }>();
  #lastId = 0;
  #real = { setTimeout, clearTimeout, now: Date.now };

  constructor() {
    globalThis.setTimeout = ((run: () => void, ms = 0) => {
      this.#timers.set(++this.#lastId, { at: this.#now + ms, run });
      return this.#lastId;
    }) as typeof setTimeout;
    globalThis.clearTimeout = ((id) => this.#timers.delete(Number(id))) as typeof clearTimeout;
    Date.now = () => this.#now;
  }

  /** The time `ms` from now, as ISO 8601. */
  in(ms: number): string {
    return new Date(this.#now + ms).toISOString();
  }

  /** Advances the time and runs the timers that are due, in order. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      const [id, { at, run }] = next;
      this.#timers.delete(id);
      this.#now = at;
      run();
      await this.runMicrotasks();
    }
    this.#now = end;
  }

  /** Runs the reactions of settled promises. */
  runMicrotasks(): Promise<void> {
    return new Promise((resolve) => this.#real.setTimeout(resolve, 0));
  }

  /** Advances the time without running timers, as when a computer sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  #nextUntil(end: number) {
    return [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
  }
}
