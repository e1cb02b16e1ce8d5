import type { IdentityProviderName } from "../../billing/identity.ts";
import type { StripeStatus } from "../../parent/types.ts";
import { callApi, failure } from "../api.ts";
import { openParentChannel, type ParentChannel } from "../parent_channel.ts";

/** Opens the line to the page around this one, in the way that the parent app speaks. */
export function openChannel(
  provider: IdentityProviderName,
  parentOrigin: string,
  onStripeCallback: (status: StripeStatus) => void,
): ParentChannel {
  if (provider === "token") return openParentChannel(parentOrigin, onStripeCallback);
  return whenLoaded(async () => {
    const { openCommonGroundChannel } = await import("./common_ground.ts");
    const iframeUid = new URLSearchParams(location.search).get("iframeUid");
    return openCommonGroundChannel({ parentOrigin, iframeUid, callApi });
  });
}

/** A channel whose code is asked for only now. When that fails, it is asked for again at the next use. */
function whenLoaded(open: () => Promise<ParentChannel>): ParentChannel {
  let opening: Promise<ParentChannel> | null = null;
  const opened = () =>
    opening ??= open().catch((error) => {
      opening = null;
      throw error;
    });
  return {
    proveIdentity: () => opened().then((channel) => channel.proveIdentity(), () => failure("network_error")),
    // Whoever sends has been told who is looking, so the code is there.
    send: (message) => void opening?.then((channel) => channel.send(message)),
    close: () => void opening?.then((channel) => channel.close()),
  };
}
