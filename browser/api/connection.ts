import { type ApiResult, failure } from "./client.ts";
import type { ParentChannel } from "../parent/channel.ts";
import { showPaywall } from "../plan/paywall.ts";
import type { Session } from "./session.ts";
import type { StripeJs } from "../stripe/stripe_js.ts";

/** What connects the page: to the parent page around it, and to the API as the person who looks at it. */
export interface Connection {
  channel: ParentChannel;
  session: Session;
  /** Set where the checkout opens inside this page. */
  stripeJs: StripeJs | null;
}

let current: Connection | null = null;

/** Null where nobody frames the page. */
export const connection = (): Connection | null => current;

export function setConnection(connection: Connection): void {
  current = connection;
}

/**
 * Calls the API as the person who looks at the page. This is the one way for every feature of the plugin: a call that a
 * limit of the plan refuses (402) also shows what the limit is and what lifts it.
 */
export async function callPlugin<T>(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<ApiResult<T>> {
  if (!current) return failure("parent_silent");
  const result = await current.session.call<T>(method, path, body);
  if (!result.ok && result.failure.status === 402) showPaywall(result.failure.problem);
  return result;
}
