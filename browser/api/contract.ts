/** What the plugin's HTTP API answers: the server's own types, so that the two cannot drift apart. Types only. */
import type { BillingInfo as ServerBillingInfo } from "../../billing/billing_info.ts";

export type { CommonGroundProof } from "../../billing/identity/common_ground.ts";
export type { OpenedSession } from "../../billing/identity/session.ts";

export type Subscription = NonNullable<ServerBillingInfo["subscription"]> & {
  /** While a payment is missing: since when, and until when the plan stays all the same. */
  pastDueSince?: string | null;
  graceEndsAt?: string | null;
};
export type BillingInfo = Omit<ServerBillingInfo, "subscription"> & { subscription: Subscription | null };
export type Plan = BillingInfo["plan"];
export type OfferedPlan = BillingInfo["plans"][number];
export type PlanLimit = BillingInfo["limits"][number];
export type FeatureUsage = BillingInfo["usage"][number];
export type Invoice = BillingInfo["invoices"][number];
