import { z } from "zod";
import { callDatabase, type Database } from "./db/database.ts";
import { asJson } from "./db/sql.ts";
import { BillingError } from "./errors.ts";
import type { Session } from "./identity/session_token.ts";

const limitSchema = z.object({
  feature: z.string(),
  /** 0 for a resource limit, which counts what is held at the same time. */
  windowSeconds: z.number(),
  /** `rolling`: the last `windowSeconds`, at any moment. `calendar_month`: since the first of the month, UTC. */
  period: z.enum(["rolling", "calendar_month"]),
  quota: z.number(),
});

const usageSchema = limitSchema.extend({
  /** Units used within the window, or held now. May exceed the limit after a downgrade. */
  used: z.number(),
  /** When the first used units are available again; null when none are used, and for a resource limit. */
  resetsAt: z.string().nullable(),
  /** Units used on each of the last 30 days (UTC), today last; empty for a resource limit. */
  daily: z.array(z.number()),
});

const planSchema = z.object({
  code: z.string(),
  name: z.string(),
  /** In the smallest unit of the currency, for one billing interval. */
  priceCents: z.number(),
  /** ISO 4217, lower case. */
  currency: z.string(),
  billingInterval: z.enum(["month", "year"]).nullable(),
});

const billingInfoSchema = z.object({
  community: z.object({ id: z.string(), title: z.string(), hasBillingAccount: z.boolean() }),
  plan: planSchema,
  limits: z.array(limitSchema),
  /** The same limits, with their use. */
  usage: z.array(usageSchema),
  /** The plans on offer, lowest rank first. */
  plans: z.array(planSchema.extend({ limits: z.array(limitSchema) })),
  subscription: z.object({
    /** Stripe's status: `active`, `trialing`, `past_due`, … */
    status: z.string(),
    /** Null when no plan has its price. */
    planCode: z.string().nullable(),
    currentPeriodEnd: z.string().nullable(),
    cancelAt: z.string().nullable(),
    trialEnd: z.string().nullable(),
    /** A stable code; null when there is no issue. */
    paymentIssue: z.string().nullable(),
    /** Since when a payment is overdue, and until when the community keeps its plan nevertheless. */
    pastDueSince: z.string().nullable(),
    graceEndsAt: z.string().nullable(),
  }).nullable(),
  /** Newest first; none for members. */
  invoices: z.array(z.object({
    number: z.string().nullable(),
    status: z.string(),
    amountDueCents: z.number(),
    amountPaidCents: z.number(),
    currency: z.string(),
    createdAt: z.string(),
    hostedInvoiceUrl: z.string().nullable(),
    invoicePdf: z.string().nullable(),
  })),
});

/** What the billing page shows. Times are ISO 8601. */
export type BillingInfo = z.output<typeof billingInfoSchema> & { isAdmin: boolean };

/**
 * Reads the billing info of the session's community, in one call as role `authenticated` with the session's claims:
 * row-level security decides what the person sees. Does not call Stripe.
 *
 * Throws `unknown_community` or `database_unavailable`.
 */
export async function readBillingInfo(db: Database, session: Session): Promise<BillingInfo> {
  const claims = {
    sub: session.userId,
    cid: session.communityId,
    adm: session.isAdmin,
    role: "authenticated",
  };
  const info = await callDatabase(
    billingInfoSchema.nullable(),
    db`select billing.billing_info_as(${asJson(claims)})`,
  );
  if (info === null) throw new BillingError("unknown_community", "This community has not opened Dues yet.");
  return { ...info, isAdmin: session.isAdmin };
}
