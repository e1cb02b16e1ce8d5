/**
 * The advance notices that a subscription has sent. Stored separately, because the subscription object does not show
 * them.
 */
export interface AdvanceNotice {
  /** The subscription's id. */
  id: string;
  /** The trial end that `customer.subscription.trial_will_end` was sent for, in seconds. */
  trialEnd: number | null;
  /** The period end that `invoice.upcoming` was sent for, in seconds. */
  periodEnd: number | null;
}
