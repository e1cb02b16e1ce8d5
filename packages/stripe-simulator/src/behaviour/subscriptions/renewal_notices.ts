import type { Change } from "../../account/change.ts";
import type { AdvanceNotice } from "../../objects/advance_notice.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { previewRenewal } from "../invoices/invoice_preview.ts";

/** Emits the notice that a trial ends soon. */
export function announceTrialEnd(change: Change, subscription: Subscription) {
  remember(change, subscription, { trialEnd: subscription.trial_end });
  change.emit("customer.subscription.trial_will_end", subscription);
}

/** Emits the preview of the next renewal's invoice. */
export function announceRenewal(change: Change, subscription: Subscription) {
  const periodEnd = Math.min(...subscription.items.data.map((item) => item.current_period_end));
  remember(change, subscription, { periodEnd });
  change.emit("invoice.upcoming", previewRenewal(change, subscription));
}

/** Stores the subscription again so that its next task is scheduled. */
function remember({ account }: Change, subscription: Subscription, said: Partial<AdvanceNotice>) {
  const { id } = subscription;
  account.advanceNotices.put({
    trialEnd: null,
    periodEnd: null,
    ...account.advanceNotices.find(id),
    ...said,
    id,
  });
  account.subscriptions.put(subscription);
}
