import type { Change } from "../../account/change.ts";
import type { Reminder } from "../../objects/advance_notice.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { previewRenewal } from "../invoices/invoice_preview.ts";

/** Says that a trial ends soon. */
export function announceTrialEnd(change: Change, subscription: Subscription) {
  remember(change, subscription, { trialEnd: subscription.trial_end });
  change.emit("customer.subscription.trial_will_end", subscription);
}

/** Shows the invoice of the coming renewal, as it looks now. */
export function announceRenewal(change: Change, subscription: Subscription) {
  const periodEnd = Math.min(...subscription.items.data.map((item) => item.current_period_end));
  remember(change, subscription, { periodEnd });
  change.emit("invoice.upcoming", previewRenewal(change, subscription));
}

/** The subscription is put again, so that what it is to do next is found anew. */
function remember({ account }: Change, subscription: Subscription, said: Partial<Reminder>) {
  const { id } = subscription;
  account.reminders.put({ trialEnd: null, periodEnd: null, ...account.reminders.find(id), ...said, id });
  account.subscriptions.put(subscription);
}
