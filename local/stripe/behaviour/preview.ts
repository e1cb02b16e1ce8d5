import type { Change } from "../account/change.ts";
import { newId } from "../objects/ids.ts";
import { type Invoice, newInvoice, newLineForInvoiceItem } from "../objects/invoice.ts";
import type { InvoiceItem } from "../objects/invoice_item.ts";
import type { Subscription } from "../objects/subscription.ts";
import { pendingItems } from "./pending_items.ts";
import { renewalLines } from "./renewal.ts";

/** The invoice of a subscription's next renewal as it would be if nothing else happened until then. */
export function previewRenewal(
  change: Change,
  subscription: Subscription,
  items: InvoiceItem[] = pendingItems(change.account, subscription),
): Invoice {
  const { account } = change;
  const id = newId("upcoming_in");
  const end = Math.min(...subscription.items.data.map((item) => item.current_period_end));
  const [ending] = subscription.items.data.filter((item) => item.current_period_end === end);
  return newInvoice(end, {
    id,
    customer: account.customers.get(subscription.customer),
    currency: subscription.currency,
    lines: [
      ...items.map((item) => newLineForInvoiceItem(id, item)),
      ...renewalLines(account, subscription, id, end),
    ],
    billingReason: "upcoming",
    subscription,
    defaultPaymentMethod: null,
    period: { start: ending.current_period_start, end },
  });
}
