import { billing } from "./billing_store.ts";
import { callPlugin } from "./connection.ts";
import type { BillingInfo } from "./contract.ts";
import { pollUntilSettled } from "./poll.ts";

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
  billing.value = { status: "loading" };
  loadBilling();
}

let watches = 0;

/**
 * Looks at billing info again and again until it `isSettled`, with the given pauses and at once when the person comes
 * back to this page. Ends by itself. A newer watch takes the place of an older one.
 *
 * Tells whether it came to be settled; null when another watch took over.
 */
export async function watchBilling(
  isSettled: (info: BillingInfo) => boolean,
  delays?: number[],
): Promise<boolean | null> {
  const watch = ++watches;
  const isOver = () => watch !== watches;
  const settled = await pollUntilSettled(async () => {
    if (isOver()) return true;
    const info = await loadBilling();
    return isOver() || (info !== null && isSettled(info));
  }, delays);
  return isOver() ? null : settled;
}

/** Ends the watch that is running, if any. */
export function stopWatching(): void {
  watches++;
}
