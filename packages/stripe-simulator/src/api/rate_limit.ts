/** A limit on API requests per second (https://docs.stripe.com/rate-limits). Off by default. */
export class RateLimit {
  #perSecond: number | null = null;
  #second = -Infinity;
  #used = 0;

  /** Sets the limit. Null removes it. */
  set(perSecond: number | null) {
    this.#perSecond = perSecond;
  }

  get perSecond(): number | null {
    return this.#perSecond;
  }

  /** Counts a request at a time in milliseconds. False when it exceeds the limit. */
  allows(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#used = 0;
    }
    this.#used += 1;
    return this.#perSecond === null || this.#used <= this.#perSecond;
  }
}
