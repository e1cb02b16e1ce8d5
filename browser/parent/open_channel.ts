import type { IdentityProviderName } from "../../billing/identity/identity_provider.ts";
import type { StripeStatus } from "../../packages/parent/types.ts";
import { callApi } from "../api/client.ts";
import { openParentChannel, type ParentChannel } from "./channel.ts";

/**
 * Opens the channel for the parent app's protocol. `onStripeCallback` is called whenever the parent reports a return
 * from Stripe. Rejects when the code for Common Ground's protocol cannot be loaded.
 */
export async function openChannel(
  provider: IdentityProviderName,
  parentOrigin: string,
  onStripeCallback: (status: StripeStatus) => void,
): Promise<ParentChannel> {
  if (provider === "token") return openParentChannel(parentOrigin, onStripeCallback);
  const { openCommonGroundChannel } = await import("./common_ground_channel.ts");
  const iframeUid = new URLSearchParams(location.search).get("iframeUid");
  return openCommonGroundChannel({ parentOrigin, iframeUid, callApi });
}
