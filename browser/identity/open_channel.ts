import type { IdentityProviderName } from "../../billing/identity.ts";
import type { StripeStatus } from "../../parent/types.ts";
import { callApi } from "../api.ts";
import { openParentChannel, type ParentChannel } from "../parent_channel.ts";

/**
 * Opens the line to the page around this one, in the way that the parent app speaks. Rejects when the code for that
 * cannot be loaded.
 */
export async function openChannel(
  provider: IdentityProviderName,
  parentOrigin: string,
  onStripeCallback: (status: StripeStatus) => void,
): Promise<ParentChannel> {
  if (provider === "token") return openParentChannel(parentOrigin, onStripeCallback);
  const { openCommonGroundChannel } = await import("./common_ground.ts");
  const iframeUid = new URLSearchParams(location.search).get("iframeUid");
  return openCommonGroundChannel({ parentOrigin, iframeUid, callApi });
}
