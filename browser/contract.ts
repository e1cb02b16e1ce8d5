/** What the plugin's HTTP API answers: the server's own types, so that the two cannot drift apart. Types only. */
import type { BillingInfo } from "../billing/billing_info.ts";

export type { BillingInfo };
export type { OpenedSession } from "../billing/session.ts";

export type Plan = BillingInfo["plan"];
export type OfferedPlan = BillingInfo["plans"][number];
export type PlanLimit = BillingInfo["limits"][number];
export type Invoice = BillingInfo["invoices"][number];
export type Subscription = NonNullable<BillingInfo["subscription"]>;
