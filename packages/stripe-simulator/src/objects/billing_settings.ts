import { z } from "zod";

/**
 * When failed payments are retried and what happens after the last attempt. In Stripe this is set in the dashboard
 * (https://docs.stripe.com/billing/revenue-recovery/smart-retries).
 */
export const billingSettingsSchema = z.strictObject({
  /** Days between two attempts. There are as many retries as entries. */
  retry_after_days: z.array(z.number().positive().max(60)).max(8),
  /** What happens to the subscription when no attempt succeeded. */
  after_last_retry: z.enum(["cancel", "mark_unpaid", "leave_past_due"]),
  /** What happens to the invoice in this case. */
  failed_invoice: z.enum(["leave_open", "mark_uncollectible"]),
  /** How long the invoice of a renewal stays a draft, in seconds. */
  draft_seconds: z.int().min(0).max(72 * 3600),
  /** How many days before a renewal `invoice.upcoming` is sent. 0 for never. */
  upcoming_days: z.int().min(0).max(30),
  /** How long errors of a meter's events are collected before they are reported, in seconds. */
  meter_report_seconds: z.int().min(0).max(3600),
});

export type BillingSettings = z.output<typeof billingSettingsSchema>;

/** The settings of a new account: retries after 3, 5 and 7 days, then cancellation. */
export const defaultBillingSettings: BillingSettings = {
  retry_after_days: [3, 5, 7],
  after_last_retry: "cancel",
  failed_invoice: "leave_open",
  draft_seconds: 3600,
  upcoming_days: 7,
  meter_report_seconds: 1,
};
