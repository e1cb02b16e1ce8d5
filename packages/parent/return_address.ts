import type { ParentMessage, StripeStatus } from "./types.ts";

/** A return from Stripe. */
export interface StripeReturn {
  message: Extract<ParentMessage, { type: "stripeCallback" }>;
  /** The community in the address, `/c/{communityId}/`; null if there is none. */
  communityId: string | null;
  /** The plugin in the address, `/c/{communityId}/plugin/{pluginId}/`; null if there is none. */
  pluginId: string | null;
}

const STATUSES: readonly string[] = ["success", "cancel", "portal_return"] satisfies StripeStatus[];
const OWN_PARAMETERS = ["stripe_status", "session_id"];

/** Reads a return from Stripe from the address `href`. Null if it contains none. */
export function readStripeReturn(href: string): StripeReturn | null {
  const { searchParams, pathname } = new URL(href);
  return stripeReturn(
    searchParams.get("stripe_status"),
    searchParams.get("session_id"),
    communityIdOf(pathname),
    pluginIdOf(pathname),
  );
}

/** Parses a return from Stripe that another tab of this app sent. Null for anything else. */
export function parseStripeReturn(data: unknown): StripeReturn | null {
  const { message, communityId, pluginId } = (data ?? {}) as Record<string, unknown>;
  const { status, sessionId } = (message ?? {}) as Record<string, unknown>;
  return stripeReturn(status, sessionId, textOrNull(communityId), textOrNull(pluginId));
}

/** The path, query and hash of `href` without the parameters of a return from Stripe. Keeps the rest unchanged. */
export function withoutStripeReturn(href: string): string {
  const { pathname, search, hash } = new URL(href);
  // Edited as text, because URLSearchParams would re-encode the remaining parameters.
  const kept = search.slice(1).split("&").filter((pair) => !OWN_PARAMETERS.includes(pair.split("=")[0]));
  return pathname + (kept.join("&") && `?${kept.join("&")}`) + hash;
}

/** The community id in a path `/c/{communityId}/…`, or null. */
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
    return null; // not valid percent-encoding, so not an address that Dues created
  }
}
