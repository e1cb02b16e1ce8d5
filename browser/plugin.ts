/** The plugin in the browser: what starts it and what ends it. */

import type { IdentityProviderName } from "../billing/identity/identity_provider.ts";
import { callApi } from "./api/client.ts";
import { onStripeCallback, watchForChange } from "./stripe/stripe_return.ts";
import { loadBilling } from "./plan/billing_loader.ts";
import { billing, departure } from "./plan/billing_store.ts";
import { setConnection } from "./api/connection.ts";
import { takeDeparture } from "./stripe/redirect_memory.ts";
import { reportHeight } from "./parent/report_height.ts";
import { openChannel } from "./parent/open_channel.ts";
import { createSession } from "./api/session.ts";
import type { StripeJs } from "./stripe/stripe_js.ts";

/** What the server knows and the page needs. */
export interface PluginOptions {
  parentOrigin: string;
  /** How the parent app vouches for people. */
  identityProvider: IdentityProviderName;
  /** Set where the checkout opens inside this page. */
  stripeJs: StripeJs | null;
}

/**
 * Connects the page to its parent and loads billing info, for as long as the page lives. A page that nobody frames only
 * gets a note.
 */
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
  // Whoever left for Stripe may have paid, whether the parent brings the news or not.
  if (takeDeparture()) watchForChange();
  else loadBilling();
}

/** Back by the back button: the page returns as it was left, with its button still waiting. */
function onPageShow(event: PageTransitionEvent): void {
  if (!event.persisted) return;
  departure.value = null;
  loadBilling();
}

/** Back from another tab, where anything may have changed. */
function onVisibilityChange(): void {
  if (document.visibilityState === "visible") loadBilling();
}
