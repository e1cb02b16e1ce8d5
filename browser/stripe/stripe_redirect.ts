/**
 * Redirects to Stripe, whose pages must not be framed. Tries one way after the other, never two at once:
 *
 * 1. The top window navigates to Stripe. Browsers let an iframe do that for a few seconds after a click.
 * 2. If the browser or the parent's sandbox refuses, the parent page is asked to navigate.
 * 3. If the page is still here after some seconds, the person is offered a link that opens a new tab, and this page
 *    polls for changes.
 */

import type { ApiFailure } from "../api/client.ts";
import { callServer, connection } from "../api/connection.ts";
import { pageLanguage } from "../language/page_language.ts";
import { loadBilling } from "../plan/billing_loader.ts";
import { dismissToast, showToast } from "../toasts.ts";
import { navigateTop } from "./navigate_top.ts";
import { rememberRedirect } from "./redirect_memory.ts";
import type { StripeJs } from "./stripe_js.ts";
import { forgetNotices, onStripeCallback, watchOtherTab } from "./stripe_return.ts";
import { closeEmbeddedCheckout, type Destination, embeddedCheckout, stripeRedirect } from "./stripe_store.ts";

/** A navigation that works replaces the page well before this. */
const STUCK_AFTER_MS = 6_000;

const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";

/** Opens the checkout for a plan: inside this page if it is set up for that, else on Stripe's own page. */
export function startCheckout(planCode: string, by: symbol): void {
  if (stripeRedirect.value) return;
  const stripeJs = connection()?.stripeJs;
  if (stripeJs) startEmbeddedCheckout(planCode, stripeJs, by);
  else startHostedCheckout(planCode, by);
}

const startHostedCheckout = (planCode: string, by: symbol) =>
  redirectToStripe("checkout", CHECKOUT, { planCode }, by);

/** Falls back to Stripe's own page when Stripe.js cannot be loaded or fails to open the checkout. */
async function startEmbeddedCheckout(planCode: string, stripeJs: StripeJs, by: symbol): Promise<void> {
  const opened = new AbortController();
  embeddedCheckout.value = opened;
  forgetNotices();
  try {
    const { openEmbeddedCheckout } = await import("./embedded_checkout.ts");
    await openEmbeddedCheckout({
      stripeJs,
      locale: pageLanguage().texts.locale,
      fetchClientSecret: () => createEmbeddedCheckout(planCode),
      onComplete: () => onStripeCallback("success"),
      signal: opened.signal,
    });
  } catch (error) {
    if (opened.signal.aborted) return;
    console.warn("Dues: embedded checkout failed", error);
    closeEmbeddedCheckout();
    startHostedCheckout(planCode, by);
  }
}

/** The client secret that Stripe.js opens the checkout with. Null when the server refused, which a toast then says. */
async function createEmbeddedCheckout(planCode: string): Promise<string | null> {
  const result = await callServer<{ clientSecret: string }>("POST", CHECKOUT, {
    planCode,
    uiMode: "embedded",
  });
  if (result.ok) return result.data.clientSecret;
  closeEmbeddedCheckout();
  showFailure(result.failure);
  return null;
}

/** Opens Stripe's billing portal, or one task in it. */
export const openPortal = (to: Exclude<Destination, "checkout">, by: symbol) =>
  redirectToStripe(to, PORTAL, to === "portal" ? {} : { flow: to }, by);

/** Called when the person opened Stripe in another tab. */
export function continueInNewTab(): void {
  stripeRedirect.value = { ...stripeRedirect.value!, phase: "away" };
  watchOtherTab();
}

/** Does nothing while another redirect is under way, so that a double click opens one checkout. */
async function redirectToStripe(to: Destination, path: string, request: object, by: symbol): Promise<void> {
  if (stripeRedirect.value) return;
  stripeRedirect.value = { to, by, phase: "opening" };
  dismissToast("redirect");
  const result = await callServer<{ url?: string; portalUrl?: string }>("POST", path, request);
  if (!result.ok) {
    stripeRedirect.value = null;
    return showFailure(result.failure);
  }
  const url = result.data.url ?? result.data.portalUrl!;
  stripeRedirect.value = { to, by, phase: "opening", url };
  forgetNotices();
  rememberRedirect();
  navigateTop(url, () => connection()?.channel.send({ type: "openUrl", url }));
  setTimeout(() => {
    if (stripeRedirect.value?.url !== url) return;
    stripeRedirect.value = { to, by, phase: "stuck", url };
    watchOtherTab();
  }, STUCK_AFTER_MS);
}

function showFailure({ code, status }: ApiFailure): void {
  const { redirectFailed } = pageLanguage().texts;
  showToast({ id: "redirect", tone: "error", text: redirectFailed.codes[code] ?? redirectFailed.other });
  if (status === 409) loadBilling(); // the page shows an outdated state
}
