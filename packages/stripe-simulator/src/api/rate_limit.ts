/** A limit on API requests per second, as Stripe has one (https://docs.stripe.com/rate-limits). Off until it is set. */
export class RateLimit {
  #perSecond: number | null = null;
  #second = -Infinity;
  #used = 0;

  /** Null lifts the limit. */
  set(perSecond: number | null) {
    this.#perSecond = perSecond;
  }

  get perSecond(): number | null {
    return this.#perSecond;
  }

  /** Counts a request that comes at that moment, in milliseconds. False when it is one too many. */
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
