import type { ParentMessage, StripeStatus } from "./types.ts";

/** News that somebody came back from Stripe. */
export interface StripeReturn {
  message: Extract<ParentMessage, { type: "stripeCallback" }>;
  /** The community the person came back to, when the address names one: `/c/{communityId}/`. */
  communityId: string | null;
  /** The plugin the person left from, when the address names one: `/c/{communityId}/plugin/{pluginId}/`. */
  pluginId: string | null;
}

const STATUSES: readonly string[] = ["success", "cancel", "portal_return"] satisfies StripeStatus[];
const OWN_PARAMETERS = ["stripe_status", "session_id"];

/** Reads a return from Stripe out of `href`. Null when the address brings none. */
export function readStripeReturn(href: string): StripeReturn | null {
  const { searchParams, pathname } = new URL(href);
  return stripeReturn(
    searchParams.get("stripe_status"),
    searchParams.get("session_id"),
    communityIdOf(pathname),
    pluginIdOf(pathname),
  );
}

/** Reads a return from Stripe out of what another tab of this app tells. Null for anything else. */
export function parseStripeReturn(data: unknown): StripeReturn | null {
  const { message, communityId, pluginId } = (data ?? {}) as Record<string, unknown>;
  const { status, sessionId } = (message ?? {}) as Record<string, unknown>;
  return stripeReturn(status, sessionId, textOrNull(communityId), textOrNull(pluginId));
}

/** The address without the parameters that bring the news; everything else exactly as it was. */
export function withoutStripeReturn(href: string): string {
  const { pathname, search, hash } = new URL(href);
  // As text, because URLSearchParams would also rewrite the parameters that stay.
  const kept = search.slice(1).split("&").filter((pair) => !OWN_PARAMETERS.includes(pair.split("=")[0]));
  return pathname + (kept.join("&") && `?${kept.join("&")}`) + hash;
}

/** The community whose page is at this path, or null: `/c/{communityId}/…`. */
export function communityIdOf(pathname: string): string | null {
  return decoded(/^\/c\/([^/]+)(?:\/|$)/.exec(pathname)?.[1]);
}

function pluginIdOf(pathname: string): string | null {
  return decoded(/\/plugin\/([^/]+)\/?$/.exec(pathname)?.[1]);
}

function stripeReturn(
  status: unknown,
  sessionId: unknown,
  communityId: string | null,
  pluginId: string | null,
): StripeReturn | null {
  if (!isStatus(status)) return null;
  const message = isSessionId(sessionId)
    ? { type: "stripeCallback" as const, status, sessionId }
    : { type: "stripeCallback" as const, status };
  return { message, communityId, pluginId };
}

function isStatus(value: unknown): value is StripeStatus {
  return typeof value === "string" && STATUSES.includes(value);
}

function isSessionId(value: unknown): value is string {
  return typeof value === "string" && /^cs_\w{1,250}$/.test(value);
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function decoded(segment: string | undefined): string | null {
  if (segment === undefined) return null;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null; // not valid percent-encoding, so no address that Dues built
  }
}
