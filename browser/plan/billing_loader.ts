import { billing } from "./billing_store.ts";
import { callPlugin, connection } from "../api/connection.ts";
import type { BillingInfo } from "../api/contract.ts";
import { waitOrReturn } from "./poll_pause.ts";

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
  const result = await callPlugin<BillingInfo>("GET", "/api/community/billing-info");
  if (result.ok) {
    billing.value = { status: "ready", info: result.data };
    return result.data;
  }
  if (billing.value.status !== "ready") billing.value = { status: "error", code: result.failure.code };
  return null;
}

/** Tries again after an error, from the beginning. */
export function retry(): void {
  if (!connection()) return location.reload(); // a part of the page itself is missing
  billing.value = { status: "loading" };
  loadBilling();
}

/** Pauses in milliseconds: short at first, since webhooks mostly arrive within a second or two. */
export const BACK_OFF_MS = [
  0,
  400,
  600,
  1_000,
  1_500,
  2_000,
  3_000,
  4_000,
  6_000,
  8_000,
  10_000,
  10_000,
  10_000,
];

let watches = 0;

/**
 * Looks at billing info again and again until it `isSettled`: after each of the pauses, and at once when the person
 * comes back to this page. Ends by itself after the last. A newer watch takes the place of an older one.
 *
 * Tells whether it came to be settled; null when another watch took over, or when it was stopped.
 */
export async function watchBilling(
  isSettled: (info: BillingInfo) => boolean,
  pauses: number[] = BACK_OFF_MS,
): Promise<boolean | null> {
  const watch = ++watches;
  for (const pause of pauses) {
    await waitOrReturn(pause);
    if (watch !== watches) return null;
    const info = await loadBilling();
    if (watch !== watches) return null;
    if (info && isSettled(info)) return true;
  }
  return false;
}

/** Ends the watch that is running, if any. */
export function stopWatching(): void {
  watches++;
}
