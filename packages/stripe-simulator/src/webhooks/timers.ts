interface Entry {
  dueAt: number;
  timer: ReturnType<typeof setTimeout>;
  work: () => void;
}

/** Takes back what was to be done later. */
export type Cancel = () => void;

/**
 * Work that is due later. It happens by itself when its time has come, or at once when time is made to pass: a schedule
 * of days then takes a moment.
 */
export class Timers {
  readonly #entries = new Set<Entry>();
  #skipped = 0;

  /** Does the work in so many milliseconds. */
  after(milliseconds: number, work: () => void): Cancel {
    const dueAt = this.#now() + milliseconds;
    const entry: Entry = { dueAt, work, timer: setTimeout(() => this.#run(entry), milliseconds) };
    this.#entries.add(entry);
    return () => this.#remove(entry);
  }

  /** Lets time pass: what is due by then is done now, in its order. */
  advance(milliseconds: number) {
    this.#skipped += milliseconds;
    const waiting = [...this.#entries].sort((a, b) => a.dueAt - b.dueAt);
    for (const entry of waiting) {
      clearTimeout(entry.timer);
      const left = entry.dueAt - this.#now();
      if (left <= 0) this.#run(entry);
      else entry.timer = setTimeout(() => this.#run(entry), left);
    }
  }

  clear() {
    for (const entry of this.#entries) this.#remove(entry);
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  #run(entry: Entry) {
    if (!this.#entries.has(entry)) return;
    this.#remove(entry);
    entry.work();
  }

  #remove(entry: Entry) {
    clearTimeout(entry.timer);
    this.#entries.delete(entry);
  }

  #now(): number {
    return performance.now() + this.#skipped;
  }
}
