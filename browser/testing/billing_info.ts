import type { BillingInfo, Invoice, OfferedPlan, Subscription } from "../api/contract.ts";

export const free: OfferedPlan = {
  code: "free",
  name: "Free",
  priceCents: 0,
  currency: "usd",
  billingInterval: null,
  limits: [{ feature: "ai_chat_message", windowSeconds: 2_592_000, period: "rolling", quota: 100 }],
};

export const pro: OfferedPlan = {
  code: "pro",
  name: "Pro",
  priceCents: 2900,
  currency: "usd",
  billingInterval: "month",
  limits: [{ feature: "ai_chat_message", windowSeconds: 2_592_000, period: "rolling", quota: 10_000 }],
};

/** An active subscription to the pro plan, with these changes. */
export function subscriptionWith(changes: Partial<Subscription> = {}): Subscription {
  return {
    status: "active",
    planCode: "pro",
    currentPeriodEnd: "2027-06-15T10:30:00Z",
    cancelAt: null,
    trialEnd: null,
    paymentIssue: null,
    pastDueSince: null,
    graceEndsAt: null,
    amount: 2900,
    unitAmount: 2900,
    quantity: 1,
    currency: "usd",
    interval: "month",
    intervalCount: 1,
    discounts: [],
    pausedCollection: null,
    scheduledChange: null,
    ...changes,
  };
}

/** An invoice of the pro plan with this status. */
export const invoiceOf = (status: string): Invoice => ({
  number: "D-0001",
  status,
  amountDueCents: 2900,
  amountPaidCents: status === "paid" ? 2900 : 0,
  currency: "usd",
  createdAt: "2027-05-15T10:30:00Z",
  hostedInvoiceUrl: "https://invoice.stripe.com/i/1",
  invoicePdf: "https://pay.stripe.com/invoice/1/pdf",
});

/** Billing info as an admin of a community on this plan sees it, with these changes. */
export function billingInfo(
  { limits, ...plan }: OfferedPlan,
  changes: Partial<BillingInfo> = {},
): BillingInfo {
  return {
    community: { id: "garden", title: "Riverside Garden", hasBillingAccount: plan.code !== "free" },
    isAdmin: true,
    plan,
    limits,
    usage: limits.map((limit) => ({ ...limit, used: 0, resetsAt: null, daily: [] })),
    plans: [free, pro],
    subscription: plan.code === "free" ? null : subscriptionWith(),
    invoices: [],
    ...changes,
  };
}
