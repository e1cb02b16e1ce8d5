import { type ApiResult, failure } from "./client.ts";
import type { ParentChannel } from "../parent/channel.ts";
import { showPaywall } from "../plan/paywall.ts";
import type { Session } from "./session.ts";
import type { StripeJs } from "../stripe/stripe_js.ts";

/** The page's connections: to the parent page, and to the API as the signed-in person. */
export interface Connection {
  channel: ParentChannel;
  session: Session;
  /** Set if the checkout opens inside this page. */
  stripeJs: StripeJs | null;
}

let current: Connection | null = null;

/** Null until `startPlugin` has connected the page; it never does outside an iframe. */
export const connection = (): Connection | null => current;

export function setConnection(connection: Connection): void {
  current = connection;
}

/**
 * Calls the API as the signed-in person. Every feature of the plugin must call the server through this function: it
 * shows the paywall when a limit of the plan refuses the call (402).
 */
export async function callServer<T>(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<ApiResult<T>> {
  if (!current) return failure("parent_silent");
  const result = await current.session.call<T>(method, path, body);
  if (!result.ok && result.failure.status === 402) showPaywall(result.failure.problem);
  return result;
}
