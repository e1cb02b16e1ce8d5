/** Loads billing info into the store: once, or repeatedly until something has changed. */

import { callServer, connection } from "../api/connection.ts";
import type { BillingInfo } from "../api/contract.ts";
import { billing } from "./billing_store.ts";
import { pollPause } from "./poll_pause.ts";

let loading: Promise<BillingInfo | null> | null = null;

/**
 * Loads billing info into the store and returns it, or null when that failed. A failure is shown only if there is
 * nothing to show yet. Calls during a load share its result, so an older answer never overwrites a newer one.
 */
export function loadBilling(): Promise<BillingInfo | null> {
  loading ??= readBilling().finally(() => loading = null);
  return loading;
}

async function readBilling(): Promise<BillingInfo | null> {
  const result = await callServer<BillingInfo>("GET", "/api/community/billing-info");
  if (result.ok) {
    billing.value = { status: "ready", info: result.data };
    return result.data;
  }
  if (billing.value.status !== "ready") billing.value = { status: "error", code: result.failure.code };
  return null;
}

/** Loads again after an error. Reloads the page if its connection was never set up. */
export function retryLoading(): void {
  if (!connection()) return location.reload();
  billing.value = { status: "loading" };
  loadBilling();
}

/** Pauses between polls in milliseconds. Short at first: most webhooks arrive within a second or two. */
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
 * Polls billing info until `isDone` returns true for it. Loads after each of the pauses (milliseconds), and at once
 * when the person comes back to this page. Ends after the last pause. A newer watch replaces an older one.
 *
 * Returns whether `isDone` was reached; null when the watch was replaced or stopped.
 */
export async function watchBilling(
  isDone: (info: BillingInfo) => boolean,
  pauses: number[] = BACK_OFF_MS,
): Promise<boolean | null> {
  const watch = ++watches;
  for (const pause of pauses) {
    await pollPause(pause);
    if (watch !== watches) return null;
    const info = await loadBilling();
    if (watch !== watches) return null;
    if (info && isDone(info)) return true;
  }
  return false;
}

/** Stops the current watch, if there is one. */
export function stopWatch(): void {
  watches++;
}
