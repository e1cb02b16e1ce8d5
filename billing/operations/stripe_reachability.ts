import Stripe from "stripe";

/** An answer of Stripe's counts for so long. */
const LATELY_MS = 5 * 60_000;
/** How long an answer is waited for, when there was none lately. */
const ANSWER_MS = 3_000;
/** After a failure Stripe is asked again after so long, at the soonest. */
const PAUSE_MS = 15_000;

/**
 * Makes a function that tells whether Stripe was reachable lately. Every answer that the server gets from Stripe counts,
 * whatever it says; only when there was none lately, Stripe is asked for something small.
 */
export function stripeReachability(stripe: Stripe, now: () => number = Date.now): () => Promise<boolean> {
  let answeredAt = -Infinity;
  let failedAt = -Infinity;
  let asking: Promise<void> | undefined;
  stripe.on("response", ({ status }: Stripe.ResponseEvent) => {
    if (status !== undefined && status < 500) answeredAt = now();
  });

  async function ask(): Promise<void> {
    try {
      await stripe.subscriptions.list({ limit: 1 }, { timeout: ANSWER_MS, maxNetworkRetries: 0 });
      answeredAt = now();
    } catch (error) {
      // A refusal is an answer, too.
      if (error instanceof Stripe.errors.StripeError && (error.statusCode ?? 500) < 500) answeredAt = now();
      else failedAt = now();
    }
  }

  return async () => {
    const isRecent = () => now() - answeredAt < LATELY_MS;
    if (!isRecent() && now() - failedAt >= PAUSE_MS) {
      await (asking ??= ask().finally(() => asking = undefined));
    }
    return isRecent();
  };
}
