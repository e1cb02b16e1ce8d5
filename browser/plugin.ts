/**
 * The plugin in the browser: what happens, in which order, and what the islands may ask for.
 *
 * Coming back from Stripe goes like this:
 * 1. The parent's page loads with the news in its address and hands it over as `stripeCallback`.
 * 2. The news is a hint, never proof: a toast tells that the plan is being updated, and billing info is read again,
 *    with growing pauses, until the webhook has changed the plan. Nothing from before is shown as if it still held.
 * 3. The same toast then tells that the payment arrived. If the webhook takes too long, the page says so, offers to
 *    look again, and asks no more by itself.
 */

import type { IdentityProviderName } from "../billing/identity.ts";
import type { StripeStatus } from "../parent/types.ts";
import { type ApiResult, callApi } from "./api.ts";
import { billing, confirmation, type Departure, departure } from "./billing_store.ts";
import type { BillingInfo } from "./contract.ts";
import { reportHeight } from "./height.ts";
import { leaveTo } from "./leave.ts";
import { openChannel } from "./identity/open_channel.ts";
import type { ParentChannel } from "./parent_channel.ts";
import { pollUntilSettled } from "./poll.ts";
import { createSession, type Session } from "./session.ts";
import { hasPaidPlan } from "./subscription.ts";
import { texts } from "./texts.ts";
import { showToast } from "./toasts.ts";

/** Set while the plugin runs inside a parent page. */
let running: { channel: ParentChannel; session: Session } | null = null;

/** A window that left is gone well before this; one that is still here needs another way. */
const STUCK_AFTER_MS = 6_000;

/** After the portal most people changed nothing, so there is less to wait for. */
const PORTAL_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000];

/**
 * Connects the page to its parent and loads billing info. Returns what disconnects it again. A page that nobody
 * frames only gets a note.
 */
export function startPlugin(parentOrigin: string, provider: IdentityProviderName): () => void {
  if (globalThis.parent === globalThis.self) {
    billing.value = { status: "outside" };
    return () => {};
  }
  const channel = openChannel(provider, parentOrigin, onStripeCallback);
  const session = createSession({ proveIdentity: channel.proveIdentity, callApi });
  const stopReporting = reportHeight((height) => channel.send({ type: "pluginResize", height }));
  running = { channel, session };
  globalThis.addEventListener("pageshow", onPageShow);
  document.addEventListener("visibilitychange", onVisibilityChange);
  loadBilling();
  return () => {
    globalThis.removeEventListener("pageshow", onPageShow);
    document.removeEventListener("visibilitychange", onVisibilityChange);
    stopReporting();
    session.close();
    channel.close();
    running = null;
  };
}

let loading: Promise<BillingInfo | null> | null = null;

/**
 * Reads billing info into the store. What is shown stays when that fails; the first load's failure is shown. One load
 * runs at a time, so that an older answer never overwrites a newer one.
 */
export function loadBilling(): Promise<BillingInfo | null> {
  loading ??= readBilling().finally(() => loading = null);
  return loading;
}

async function readBilling(): Promise<BillingInfo | null> {
  if (!running) return null;
  const result = await running.session.call<BillingInfo>("GET", "/api/community/billing-info");
  if (result.ok) {
    billing.value = { status: "ready", info: result.data };
    return result.data;
  }
  if (billing.value.status !== "ready") billing.value = { status: "error", code: result.failure.code };
  return null;
}

/** Tries again after an error, from the beginning. */
export function retry(): void {
  billing.value = { status: "loading" };
  loadBilling();
}

/** Waits for the plan to change after a payment. */
export async function confirmPayment(): Promise<void> {
  if (confirmation.value === "waiting") return;
  confirmation.value = "waiting";
  const settled = await pollUntilSettled(async () => {
    const info = await loadBilling();
    return info !== null && hasPaidPlan(info);
  });
  confirmation.value = settled ? "none" : "late";
  if (settled && billing.value.status === "ready") {
    showToast({ id: "stripe", tone: "success", text: texts.toasts.paid(billing.value.info.plan.name) });
  }
}

/** Takes the person to Stripe's checkout for a plan. */
export function startCheckout(planCode: string): Promise<void> {
  return depart("checkout", async ({ session }) => {
    const result = await session.call<{ url: string }>("POST", "/api/stripe/create-checkout-session", {
      planCode,
      ...pluginIdOf(session),
    });
    return result.ok ? { ok: true, data: result.data.url } : result;
  });
}

/** Takes the person to Stripe's billing portal. */
export function openPortal(): Promise<void> {
  return depart("portal", async ({ session }) => {
    const result = await session.call<{ portalUrl: string }>(
      "POST",
      "/api/stripe/create-portal-session",
      pluginIdOf(session),
    );
    return result.ok ? { ok: true, data: result.data.portalUrl } : result;
  });
}

function pluginIdOf(session: Session): { pluginId?: string } {
  const pluginId = session.pluginId();
  return pluginId === null ? {} : { pluginId };
}

/** One departure at a time, so that a double click opens one checkout. */
async function depart(
  to: Departure["to"],
  getUrl: (plugin: NonNullable<typeof running>) => Promise<ApiResult<string>>,
): Promise<void> {
  if (!running || departure.value) return;
  const { channel } = running;
  departure.value = { to };
  const result = await getUrl(running);
  if (!result.ok) {
    departure.value = null;
    showToast({ id: "departure", tone: "error", text: texts.departureFailed(result.failure.code) });
    if (result.failure.status === 409) loadBilling(); // what is shown is behind what the server knows
    return;
  }
  const url = result.data;
  departure.value = { to, url };
  leaveTo(url, () => channel.send({ type: "openUrl", url }));
  setTimeout(() => {
    if (departure.value?.url === url) departure.value = { to, url, stuck: true };
  }, STUCK_AFTER_MS);
}

function onStripeCallback(status: StripeStatus): void {
  showToast({ id: "stripe", tone: "info", text: texts.toasts[status] });
  if (status === "success") confirmPayment();
  if (status === "portal_return") {
    pollUntilSettled(async () => {
      await loadBilling();
      return false;
    }, PORTAL_DELAYS_MS);
  }
}

/** Back by the back button: the page returns as it was left, with its button still waiting. */
function onPageShow(event: PageTransitionEvent): void {
  if (!event.persisted) return;
  departure.value = null;
  loadBilling();
}

/** Back from another tab, where the plan may have changed. */
function onVisibilityChange(): void {
  if (document.visibilityState !== "visible" || !departure.value?.stuck) return;
  departure.value = null;
  loadBilling();
}
