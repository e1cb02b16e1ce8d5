/**
 * Leaving for Stripe, which must not be framed. One way after the other, never two at once:
 *
 * 1. The whole window goes there. Browsers let an iframe do that for some seconds after a click.
 * 2. Where the browser refuses, or the parent's sandbox does, the parent page is asked to go there.
 * 3. Where nothing has happened after a while, the person is offered a new tab, which a click of theirs opens for
 *    sure, and this page looks for what changes meanwhile.
 */

import type { ApiFailure } from "../api/client.ts";
import { awaitReturn, expectNews, onStripeCallback } from "./stripe_return.ts";
import { loadBilling } from "../plan/billing_loader.ts";
import {
  closeEmbeddedCheckout,
  departure,
  type Destination,
  embeddedCheckout,
} from "../plan/billing_store.ts";
import { callPlugin, connection } from "../api/connection.ts";
import { rememberDeparture } from "./redirect_memory.ts";
import { leaveTo } from "./navigate_top.ts";
import { pageLanguage } from "../language/page_language.ts";
import type { StripeJs } from "./stripe_js.ts";
import { dismissToast, showToast } from "../toasts.ts";

/** A window that left is gone well before this; one that is still here needs another way. */
const STUCK_AFTER_MS = 6_000;

const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";

/** Takes the person to the checkout of a plan: inside this page where that is set up, else on Stripe's own page. */
export function startCheckout(planCode: string): void {
  if (departure.value) return;
  const stripeJs = connection()?.stripeJs;
  if (stripeJs) startEmbeddedCheckout(planCode, stripeJs);
  else startHostedCheckout(planCode);
}

const startHostedCheckout = (planCode: string) => depart("checkout", CHECKOUT, { planCode });

/** Where Stripe.js cannot be had, or has nothing to show, Stripe's own page takes over. */
async function startEmbeddedCheckout(planCode: string, stripeJs: StripeJs): Promise<void> {
  const opened = new AbortController();
  embeddedCheckout.value = opened;
  expectNews();
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
    console.warn("Dues: no checkout in this page", error);
    closeEmbeddedCheckout();
    startHostedCheckout(planCode);
  }
}

/** What Stripe.js opens the checkout with. Null when it was refused, which the person has then been told. */
async function createEmbeddedCheckout(planCode: string): Promise<string | null> {
  const result = await callPlugin<{ clientSecret: string }>("POST", CHECKOUT, {
    planCode,
    uiMode: "embedded",
  });
  if (result.ok) return result.data.clientSecret;
  closeEmbeddedCheckout();
  tellFailure(result.failure);
  return null;
}

/** Takes the person to Stripe's billing portal, or to one task in it. */
export const openPortal = (to: Exclude<Destination, "checkout">) =>
  depart(to, PORTAL, to === "portal" ? {} : { flow: to });

/** The person opened Stripe in another tab. */
export function followToNewTab(): void {
  departure.value = { ...departure.value!, phase: "away" };
  awaitReturn();
}

/** One departure at a time, so that a double click opens one checkout. */
async function depart(to: Destination, path: string, request: object): Promise<void> {
  if (departure.value) return;
  departure.value = { to, phase: "opening" };
  dismissToast("departure");
  const result = await callPlugin<{ url?: string; portalUrl?: string }>("POST", path, request);
  if (!result.ok) {
    departure.value = null;
    return tellFailure(result.failure);
  }
  const url = result.data.url ?? result.data.portalUrl!;
  departure.value = { to, phase: "opening", url };
  expectNews();
  rememberDeparture();
  leaveTo(url, () => connection()?.channel.send({ type: "openUrl", url }));
  setTimeout(() => {
    if (departure.value?.url !== url) return;
    departure.value = { to, phase: "stuck", url };
    awaitReturn();
  }, STUCK_AFTER_MS);
}

function tellFailure({ code, status }: ApiFailure): void {
  const { departureFailed } = pageLanguage().texts;
  showToast({ id: "departure", tone: "error", text: departureFailed.codes[code] ?? departureFailed.other });
  if (status === 409) loadBilling(); // what is shown is behind what the server knows
}
