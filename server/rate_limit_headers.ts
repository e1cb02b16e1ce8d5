import type { Consumption } from "../billing/quota/quota.ts";

/**
 * What remains, as `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, the successor of the many
 * X-RateLimit-… dialects): for each limit a policy with its quota `q` and window `w` in seconds, and what remains of it, `r`,
 * with the seconds `t` until the first units come back. All in seconds, so nobody's clock matters.
 */
export function rateLimitHeaders({ feature, limits }: Pick<Consumption, "feature" | "limits">): HeadersInit {
  const policies = limits.map((limit) => ({
    ...limit,
    // A calendar month is no fixed number of seconds, so it has a name and no window.
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
