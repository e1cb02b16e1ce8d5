import { signal } from "@preact/signals";
import type { BillingInfo } from "../api/contract.ts";

export type BillingState =
  | { status: "loading" }
  /** The page is not in a parent app's iframe. */
  | { status: "outside" }
  | { status: "error"; code: string }
  | { status: "ready"; info: BillingInfo };

/** The community's billing info. Islands read it; only `billing_loader.ts` and `plugin.ts` write it. */
export const billing = signal<BillingState>({ status: "loading" });
