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
  /** The subscription to a plan, as Stripe has it. A change of the price list changes nothing here. */
  subscription: z.object({
    /** Stripe's status: `active`, `trialing`, `past_due`, … */
    status: z.string(),
    /** The plan that it sells. */
    planCode: z.string(),
    currentPeriodEnd: z.string().nullable(),
    cancelAt: z.string().nullable(),
    trialEnd: z.string().nullable(),
    /** A stable code; null when there is no issue. */
    paymentIssue: z.string().nullable(),
    /** Since when a payment is overdue, and until when the community keeps its plan nevertheless. */
    pastDueSince: z.string().nullable(),
    graceEndsAt: z.string().nullable(),
    /**
     * What it costs for one interval, before discounts and tax, in the smallest unit of the currency, maybe with decimals.
     * Null for tiered prices.
     */
    amount: z.number().nullable(),
    /** The price of one unit of the plan, and of how many units. Null for tiered prices. */
    unitAmount: z.number().nullable(),
    quantity: z.number().nullable(),
    /** ISO 4217, lower case. */
    currency: z.string().nullable(),
    /** `month`, 3: every three months. */
    interval: z.enum(["day", "week", "month", "year"]).nullable(),
    intervalCount: z.number().nullable(),
    /** Those that apply now. */
    discounts: z.array(z.object({
      name: z.string().nullable(),
      /** One of the two is set. */
      percentOff: z.number().nullable(),
      amountOff: z.number().nullable(),
      currency: z.string().nullable(),
      /** Null for one without an end. */
      endsAt: z.string().nullable(),
    })),
    /** Set while payments are not collected; the plan stays. `resumesAt` is null when nobody said until when. */
    pausedCollection: z.object({ resumesAt: z.string().nullable() }).nullable(),
    /** What its schedule changes next: to a plan, or to nothing that is a plan. */
    scheduledChange: z.object({
      at: z.string(),
      planCode: z.string().nullable(),
      planName: z.string().nullable(),
    }).nullable(),
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
