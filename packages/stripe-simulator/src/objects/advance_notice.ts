/** Which advance notices a subscription has already sent; Stripe's object does not show it. */
export interface Reminder {
  /** The subscription's id. */
  id: string;
  /** The end of the trial that `customer.subscription.trial_will_end` was sent for. */
  trialEnd: number | null;
  /** The end of the period that `invoice.upcoming` was sent for. */
  periodEnd: number | null;
}
