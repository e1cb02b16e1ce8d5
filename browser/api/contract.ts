/** The types of the plugin's HTTP API. They are the server's own, so browser and server always agree. Types only. */
import type { BillingInfo as ServerBillingInfo } from "../../billing/billing_info.ts";

export type { CommonGroundProof } from "../../billing/identity/common_ground.ts";
export type { OpenedSession } from "../../billing/identity/session.ts";

export type BillingInfo = ServerBillingInfo;
export type Subscription = NonNullable<BillingInfo["subscription"]>;
export type Plan = BillingInfo["plan"];
export type OfferedPlan = BillingInfo["plans"][number];
export type PlanLimit = BillingInfo["limits"][number];
export type FeatureUsage = BillingInfo["usage"][number];
export type Invoice = BillingInfo["invoices"][number];
