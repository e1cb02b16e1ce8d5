import type { ParentMessage, StripeStatus } from "./types.ts";

/** A return from Stripe, read from the page's address. */
export interface StripeReturn {
  message: Extract<ParentMessage, { type: "stripeCallback" }>;
  /** The plugin the person left from, when the address names one: `/c/{communityId}/plugin/{pluginId}/`. */
  pluginId: string | null;
  /** The address without the parameters that brought the news; everything else exactly as it was. */
  cleanAddress: string;
}

const STATUSES: readonly string[] = ["success", "cancel", "portal_return"] satisfies StripeStatus[];
const OWN_PARAMETERS = ["stripe_status", "session_id"];

/** Reads a return from Stripe out of `href`. Null when the address brings none. */
export function readStripeReturn(href: string): StripeReturn | null {
  const url = new URL(href);
  const status = url.searchParams.get("stripe_status");
  if (!isStatus(status)) return null;
  const sessionId = url.searchParams.get("session_id");
  return {
    message: isSessionId(sessionId)
      ? { type: "stripeCallback", status, sessionId }
      : { type: "stripeCallback", status },
    pluginId: pluginIdOf(url.pathname),
    cleanAddress: url.pathname + withoutOwnParameters(url.search) + url.hash,
  };
}

function isStatus(value: string | null): value is StripeStatus {
  return value !== null && STATUSES.includes(value);
}

function isSessionId(value: string | null): value is string {
  return value !== null && /^cs_\w{1,250}$/.test(value);
}

function pluginIdOf(pathname: string): string | null {
  const encoded = /\/plugin\/([^/]+)\/?$/.exec(pathname)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null; // not valid percent-encoding, so no address that Dues built
  }
}

/** Works on the text, because URLSearchParams would also rewrite the parameters that stay. */
function withoutOwnParameters(search: string): string {
  const kept = search.slice(1).split("&").filter((pair) => !OWN_PARAMETERS.includes(pair.split("=")[0]));
  return kept.join("&") && `?${kept.join("&")}`;
}
