import type { Context } from "fresh";
import type { z } from "zod";
import type { Consumption, QuotaOptions } from "../billing/quota/quota.ts";
import { RequestFault } from "../billing/http/problem.ts";
import { readBytes, readJson } from "../billing/http/request_body.ts";
import type { Feature } from "../billing/quota/guarded_features.ts";
import { rateLimitHeaders } from "./rate_limit_headers.ts";
import { define, type State } from "./page_context.ts";
import { callerOf, sessionOf } from "./session_of.ts";

/** A request to a feature. */
export interface FeatureOptions extends QuotaOptions {
  /** The shape of the JSON body of a POST; the feature finds it in `ctx.state.body`. */
  body?: z.ZodType;
  /** The largest body. */
  maxBodyBytes?: number;
}

/** Whole bodies are kept while the quota is asked for, so they are small unless the feature says otherwise. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Middleware that limits a feature in one line: `export default requireQuota("ai_chat_message")`.
 *
 * Passes a request on when it has a session, its whole body has arrived and is valid, and its community has quota left; then it
 * records the use. Otherwise it throws the error for 400, 401, 402 or 429, and nothing was used: neither a malformed request nor
 * one that is sent slowly holds units. When the feature throws or answers with an error, the units are given back. A feature that can fail
 * after its response has started (a stream) calls `state.billing.requireQuota` and `release` itself.
 *
 * `options` may depend on the request: how many units, or an idempotency key (see the warning at QuotaOptions). With `body` the
 * feature answers POST only.
 */
export function requireQuota(
  feature: Feature,
  options: FeatureOptions | ((ctx: Context<State>) => QuotaOptions | Promise<QuotaOptions>) = {},
) {
  const { body, maxBodyBytes, ...fixed }: FeatureOptions = typeof options === "function" ? {} : options;
  return define.middleware(async (ctx) => {
    const { billing } = ctx.state;
    if (body && ctx.req.method !== "POST") {
      throw new RequestFault("method_not_allowed", "This address answers POST.", { allow: "POST" });
    }
    const session = await sessionOf(ctx);
    await billing.limit("quota", {
      community: session.communityId,
      person: session.userId,
      ...callerOf(ctx),
    });
    if (body) ctx.state.body = await readJson(ctx.req, body, maxBodyBytes);
    // The feature reads the body itself, once all of it is here.
    else if (ctx.req.body) await readBytes(ctx.req.clone(), maxBodyBytes ?? MAX_BODY_BYTES);
    const asked = typeof options === "function" ? await options(ctx) : fixed;
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
