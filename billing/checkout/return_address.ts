import type { CommunityId, PluginId, Slug } from "../ids.ts";

/** Where Stripe sends a person back to: the community's page in the parent app, never a page of this plugin. */
export interface ReturnPlace {
  parentAppUrl: string;
  communityId: CommunityId;
  pluginId: PluginId | null;
  /** The community's name in the parent app's addresses, where that is not its id. */
  slug?: Slug;
}

export type ReturnStatus = "success" | "cancel" | "portal_return";

/**
 * `{parent}/c/{communityId}/[plugin/{pluginId}/]?stripe_status=…`, ids percent-encoded. For `success`, Stripe replaces
 * `{CHECKOUT_SESSION_ID}` by the session's id, so the braces must not be encoded
 * (https://docs.stripe.com/payments/checkout/custom-success-page).
 */
export function returnAddress(place: ReturnPlace, status: ReturnStatus): string {
  const plugin = place.pluginId === null ? "" : `plugin/${encodeURIComponent(place.pluginId)}/`;
  const page = `${place.parentAppUrl}/c/${encodeURIComponent(place.slug ?? place.communityId)}/${plugin}`;
  const session = status === "success" ? "&session_id={CHECKOUT_SESSION_ID}" : "";
  return `${page}?stripe_status=${status}${session}`;
}
