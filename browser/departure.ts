/**
 * Leaving for Stripe, which must not be framed. One way after the other, never two at once:
 *
 * 1. The whole window goes there. Browsers let an iframe do that for some seconds after a click.
 * 2. Where the browser refuses, or the parent's sandbox does, the parent page is asked to go there.
 * 3. Where nothing has happened after a while, the person is offered a new tab, which a click of theirs opens for
 *    sure, and this page looks for what changes meanwhile.
 */

import type { ApiResult } from "./api.ts";
import { awaitReturn, expectNews } from "./arrival.ts";
import { loadBilling } from "./billing_loader.ts";
import { departure, type Destination, embeddedCheckout } from "./billing_store.ts";
import { callPlugin, connection } from "./connection.ts";
import { rememberDeparture } from "./departure_memory.ts";
import { leaveTo } from "./leave.ts";
import { pageLanguage } from "./page_language.ts";
import { dismissToast, showToast } from "./toasts.ts";

/** A window that left is gone well before this; one that is still here needs another way. */
const STUCK_AFTER_MS = 6_000;

/** Takes the person to the checkout of a plan: inside this page where that is set up, else on Stripe's own page. */
export function startCheckout(planCode: string): void {
  if (departure.value) return;
  if (connection()?.stripeJs) embeddedCheckout.value = { planCode };
  else startHostedCheckout(planCode);
}

/** Takes the person to Stripe's page for the checkout of a plan. */
export function startHostedCheckout(planCode: string): Promise<void> {
  return depart("checkout", async () => {
    const result = await createCheckout<{ url: string }>({ planCode });
    return result.ok ? { ok: true, data: result.data.url } : result;
  });
}

/** Starts a checkout that Stripe.js shows inside this page, and gives the secret that it is opened with. */
export async function createEmbeddedCheckout(planCode: string): Promise<ApiResult<string>> {
  const result = await createCheckout<{ clientSecret: string }>({ planCode, uiMode: "embedded" });
  if (result.ok) return { ok: true, data: result.data.clientSecret };
  tellFailure(result.failure);
  return result;
}

/** Takes the person to Stripe's billing portal, or to one task in it. */
export function openPortal(to: Exclude<Destination, "checkout">): Promise<void> {
  return depart(to, async () => {
    const flow = to === "portal" ? {} : { flow: to };
    const result = await callPlugin<{ portalUrl: string }>("POST", "/api/stripe/create-portal-session", {
      ...flow,
      ...pluginId(),
    });
    return result.ok ? { ok: true, data: result.data.portalUrl } : result;
  });
}

/** The person opened Stripe in another tab. */
export function followToNewTab(): void {
  if (!departure.value) return;
  departure.value = { ...departure.value, phase: "away" };
  awaitReturn();
}

function createCheckout<T>(request: { planCode: string; uiMode?: "embedded" }): Promise<ApiResult<T>> {
  return callPlugin("POST", "/api/stripe/create-checkout-session", { ...request, ...pluginId() });
}

function pluginId(): { pluginId?: string } {
  const id = connection()?.session.pluginId();
  return id ? { pluginId: id } : {};
}

/** One departure at a time, so that a double click opens one checkout. */
async function depart(to: Destination, getUrl: () => Promise<ApiResult<string>>): Promise<void> {
  if (departure.value) return;
  departure.value = { to, phase: "opening" };
  dismissToast("departure");
  const result = await getUrl();
  if (!result.ok) {
    departure.value = null;
    return tellFailure(result.failure);
  }
  const url = result.data;
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

function tellFailure({ code, status }: { code: string; status: number }): void {
  const { departureFailed } = pageLanguage().texts;
  showToast({ id: "departure", tone: "error", text: departureFailed.codes[code] ?? departureFailed.other });
  if (status === 409) loadBilling(); // what is shown is behind what the server knows
}
