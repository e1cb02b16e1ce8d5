import type { SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import type { Database as Schema } from "./db/database_types.ts";
import { BillingError } from "./errors.ts";
import type { Session } from "./identity/session_token.ts";

const limitSchema = z.object({
  feature: z.string(),
  /** 0 = a resource limit: so many at once. */
  windowSeconds: z.number(),
  /** `rolling`: the last `windowSeconds`, at any moment. `calendar_month`: since the first of the month, UTC. */
  period: z.enum(["rolling", "calendar_month"]),
  quota: z.number(),
});

const usageSchema = limitSchema.extend({
  /** Within the window, or held now. May exceed the limit after a downgrade. */
  used: z.number(),
  /** When the first units come back; null when none are out, or when they come back only by being released. */
  resetsAt: z.string().nullable(),
  /** What was used on each of the last 30 days (UTC), oldest first, today last; empty for a resource limit. */
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
  /** The same limits, with how far they are used. */
  usage: z.array(usageSchema),
  /** What is on offer, lowest rank first. */
  plans: z.array(planSchema.extend({ limits: z.array(limitSchema) })),
  subscription: z.object({
    /** Stripe's word: `active`, `trialing`, `past_due`, … */
    status: z.string(),
    /** Null when no plan sells its price. */
    planCode: z.string().nullable(),
    currentPeriodEnd: z.string().nullable(),
    cancelAt: z.string().nullable(),
    trialEnd: z.string().nullable(),
    /** A stable code; null when all is well. */
    paymentIssue: z.string().nullable(),
    /** Since when a payment is overdue, and until when the community keeps its plan all the same. */
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
 * Reads it as the person who asks, in one round trip: row-level security decides what they see. Never calls Stripe.
 *
 * Throws `unknown_community`, or `database_unavailable` when the data API does not answer as it should.
 */
export async function readBillingInfo(
  dataApi: SupabaseClient<Schema>,
  session: Session,
  token: string,
): Promise<BillingInfo> {
  const { data, error } = await dataApi.rpc("billing_info").setHeader("Authorization", `Bearer ${token}`);
  if (error) {
    throw new BillingError("database_unavailable", "Billing info cannot be read. Try again in a moment.", {
      cause: error,
    });
  }
  if (data === null) throw new BillingError("unknown_community", "This community has not opened Dues yet.");
  return { ...billingInfoSchema.parse(data), isAdmin: session.isAdmin };
}
