import { signal } from "@preact/signals";
import type { BillingInfo } from "./contract.ts";

export type BillingState =
  | { status: "loading" }
  /** The page was opened by itself, not in a parent app. */
  | { status: "outside" }
  | { status: "error"; code: string }
  | { status: "ready"; info: BillingInfo };

/** What is known of the community's billing. Islands read it; `plugin.ts` alone writes it. */
export const billing = signal<BillingState>({ status: "loading" });

/**
 * After a checkout, until the plan has changed: `waiting` while it is asked for, `late` when that took too long. What
 * `billing` says meanwhile may be from before the payment and is not to be shown as if it were news.
 */
export const confirmation = signal<"none" | "waiting" | "late">("none");

/** On the way to Stripe. `url` is known once the server has given it; `stuck` when the browser is still here after it. */
export interface Departure {
  to: "checkout" | "portal";
  url?: string;
  stuck?: boolean;
}

export const departure = signal<Departure | null>(null);
