/** What the plugin's HTTP API answers, as the browser reads it. Times are ISO 8601, money is in the smallest unit. */

export interface PlanLimit {
  feature: string;
  /** 0 for a resource limit: so many at a time, however long. */
  windowSeconds: number;
  hardLimit: number;
}

export interface Plan {
  code: string;
  name: string;
  priceCents: number;
  /** ISO 4217, lower case. */
  currency: string;
  billingInterval: "month" | "year" | null;
}

export interface OfferedPlan extends Plan {
  limits: PlanLimit[];
}

export interface Subscription {
  /** Stripe's word: `active`, `trialing`, `past_due`, … */
  status: string;
  /** Null when the price belongs to no plan of ours. */
  planCode: string | null;
  currentPeriodEnd: string | null;
  cancelAt: string | null;
  trialEnd: string | null;
  /** A stable code; null when all is well. */
  paymentIssue: string | null;
}

export interface Invoice {
  number: string | null;
  status: string;
  amountDueCents: number;
  amountPaidCents: number;
  currency: string;
  createdAt: string;
  hostedInvoiceUrl: string | null;
  invoicePdf: string | null;
}

/** `GET /api/community/billing-info` */
export interface BillingInfo {
  community: { id: string; title: string; hasBillingAccount: boolean };
  isAdmin: boolean;
  plan: Plan;
  limits: PlanLimit[];
  /** What is on offer, cheapest first. */
  plans: OfferedPlan[];
  subscription: Subscription | null;
  /** Newest first; none for members. */
  invoices: Invoice[];
}

/** `POST /api/auth/session` */
export interface OpenedSession {
  token: string;
  expiresAt: string;
  community: { id: string; title: string };
  isAdmin: boolean;
  pluginId: string | null;
}
