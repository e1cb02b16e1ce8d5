/** Starts the plugin in the browser. */

import type { IdentityProviderName } from "../billing/identity/identity_provider.ts";
import { callApi } from "./api/client.ts";
import { setConnection } from "./api/connection.ts";
import { createSession } from "./api/session.ts";
import { openChannel } from "./parent/open_channel.ts";
import { reportHeight } from "./parent/report_height.ts";
import { loadBilling } from "./plan/billing_loader.ts";
import { billing } from "./plan/billing_store.ts";
import { takeRememberedRedirect } from "./stripe/redirect_memory.ts";
import type { StripeJs } from "./stripe/stripe_js.ts";
import { onStripeCallback, watchForChange } from "./stripe/stripe_return.ts";
import { stripeRedirect } from "./stripe/stripe_store.ts";

/** The server's settings that the page needs. */
export interface PluginOptions {
  parentOrigin: string;
  /** How the parent app proves who somebody is. */
  identityProvider: IdentityProviderName;
  /** Set if the checkout opens inside this page. */
  stripeJs: StripeJs | null;
}

/** Connects the page to its parent and loads billing info. Outside an iframe, the page only shows a note. */
export async function startPlugin(
  { parentOrigin, identityProvider, stripeJs }: PluginOptions,
): Promise<void> {
  if (parent === self) {
    billing.value = { status: "outside" };
    return;
  }
  try {
    const channel = await openChannel(identityProvider, parentOrigin, onStripeCallback);
    const session = createSession({ proveIdentity: channel.proveIdentity, callApi });
    setConnection({ channel, session, stripeJs });
    reportHeight((height) => channel.send({ type: "pluginResize", height }));
  } catch {
    billing.value = { status: "error", code: "network_error" };
    return;
  }
  addEventListener("pageshow", onPageShow);
  addEventListener("visibilitychange", onVisibilityChange);
  // After a redirect to Stripe there may be a payment, even if the parent sends no `stripeCallback`.
  if (takeRememberedRedirect()) watchForChange();
  else loadBilling();
}

/** After the back button, the browser may restore the page as it was during the redirect, with disabled buttons. */
function onPageShow(event: PageTransitionEvent): void {
  if (!event.persisted) return;
  stripeRedirect.value = null;
  loadBilling();
}

/** Anything may have changed while the person was in another tab. */
function onVisibilityChange(): void {
  if (document.visibilityState === "visible") loadBilling();
}
