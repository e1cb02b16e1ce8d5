import type { Consumption } from "../billing/quota/quota.ts";

/**
 * The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers). Each limit is a policy with its
 * quota `q`, its window `w` in seconds, the remaining units `r`, and the seconds `t` until the first units are free again.
 * Times are in seconds, so no clocks have to agree.
 */
export function rateLimitHeaders({ feature, limits }: Pick<Consumption, "feature" | "limits">): HeadersInit {
  const policies = limits.map((limit) => ({
    ...limit,
    // A calendar month has no fixed number of seconds, so its policy has no window.
    name: limit.period === "calendar_month" ? `${feature}-month` : `${feature}-${limit.windowSeconds}s`,
    window: limit.period === "calendar_month" ? "" : `;w=${limit.windowSeconds}`,
  }));
  return {
    "ratelimit-policy": policies.map(({ name, quota, window }) => `"${name}";q=${quota}${window}`)
      .join(", "),
    "ratelimit": policies.map(({ name, quota, used, secondsToReset }) =>
      `"${name}";r=${Math.max(quota - used, 0)};t=${secondsToReset}`
    ).join(", "),
  };
}
