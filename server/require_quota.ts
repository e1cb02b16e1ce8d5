import type { Context } from "fresh";
import type { Consumption, QuotaOptions } from "../billing/quota/quota.ts";
import { bearerToken } from "../billing/http/bearer_token.ts";
import type { Feature } from "../billing/quota/guarded_features.ts";
import { rateLimitHeaders } from "./rate_limit_headers.ts";
import { define, type State } from "./page_context.ts";

/**
 * Middleware that limits a feature in one line: `export default requireQuota("ai_chat_message")`.
 *
 * Passes a request on when it has a session and its community has quota left, and records the use. Otherwise it throws the
 * error for 401 or 402. When the feature throws or answers with an error, the units are given back. A feature that can fail
 * after its response has started (a stream) calls `state.billing.requireQuota` and `release` itself.
 *
 * `options` may depend on the request: how many units, or an idempotency key (see the warning at QuotaOptions).
 */
export function requireQuota(
  feature: Feature,
  options: QuotaOptions | ((ctx: Context<State>) => QuotaOptions | Promise<QuotaOptions>) = {},
) {
  return define.middleware(async (ctx) => {
    const { billing } = ctx.state;
    const session = await billing.authenticate(bearerToken(ctx.req));
    const asked = typeof options === "function" ? await options(ctx) : options;
    const consumption = await billing.requireQuota(session, feature, asked);
    let failed = true;
    try {
      const response = await ctx.next();
      failed = response.status >= 400;
      if (failed) return response;
      for (const [name, value] of Object.entries(rateLimitHeaders(consumption))) {
        response.headers.set(name, value);
      }
      return response;
    } finally {
      if (failed) await release(consumption);
    }
  });
}

/** Only logs when this fails: the caller must get the feature's own failure. */
async function release(consumption: Consumption): Promise<void> {
  try {
    await consumption.release();
  } catch (error) {
    console.error(`${consumption.quantity} ${consumption.feature} could not be given back:`, error);
  }
}
