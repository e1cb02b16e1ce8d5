interface Entry {
  dueAt: number;
  timer: ReturnType<typeof setTimeout>;
  callback: () => void;
}

/** Cancels the timer. */
export type Cancel = () => void;

/**
 * Timers whose time can be advanced: a callback runs when its time has come, or immediately when `advance` moves past
 * it.
 */
export class Timers {
  readonly #entries = new Set<Entry>();
  #skipped = 0;

  /** Runs the callback after so many milliseconds. */
  after(milliseconds: number, callback: () => void): Cancel {
    const dueAt = this.#now() + milliseconds;
    const entry: Entry = { dueAt, callback, timer: setTimeout(() => this.#run(entry), milliseconds) };
    this.#entries.add(entry);
    return () => this.#remove(entry);
  }

  /** Moves time forward and runs the callbacks that are due by then, in their order. */
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
    entry.callback();
  }

  #remove(entry: Entry) {
    clearTimeout(entry.timer);
    this.#entries.delete(entry);
  }

  #now(): number {
    return performance.now() + this.#skipped;
  }
}
