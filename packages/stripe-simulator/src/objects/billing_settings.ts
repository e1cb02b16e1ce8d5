import { z } from "zod";

/** When Stripe charges again after a payment failed, and what follows the last attempt. Stripe has it in its dashboard. */
export const billingSettingsSchema = z.strictObject({
  /** Days from one attempt to the next; as many retries as there are entries. */
  retry_after_days: z.array(z.number().positive().max(60)).max(8),
  /** What becomes of the subscription when no attempt succeeded. */
  after_last_retry: z.enum(["cancel", "mark_unpaid", "leave_past_due"]),
  /** What becomes of the invoice then. */
  failed_invoice: z.enum(["leave_open", "mark_uncollectible"]),
  /** How long the invoice of a renewal stays a draft, in seconds. */
  draft_seconds: z.int().min(0).max(72 * 3600),
  /** How many days before a renewal `invoice.upcoming` is sent; 0 for never. */
  upcoming_days: z.int().min(0).max(30),
  /** For how long faults of a meter's events are gathered before they are reported, in seconds. */
  meter_report_seconds: z.int().min(0).max(3600),
});

export type BillingSettings = z.output<typeof billingSettingsSchema>;

/** As in a fresh account, with the retries that Stripe recommends spread over three weeks. */
export const defaultBillingSettings: BillingSettings = {
  retry_after_days: [3, 5, 7],
  after_last_retry: "cancel",
  failed_invoice: "leave_open",
  draft_seconds: 3600,
  upcoming_days: 7,
  meter_report_seconds: 1,
};
