import type { Change } from "../../account/change.ts";
import type { InvoiceLine } from "../../objects/invoice.ts";
import { type InvoiceItem, newInvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { planDraft, storeDraft } from "../invoices/invoice_draft.ts";
import { isMetered, lineForItem, lineForUsage, recurringPriceOf } from "../invoices/invoice_lines.ts";
import { chargeFor, creditFor } from "../invoices/proration.ts";
import { collectAutomatically, finalizeDraft } from "../payments/payment_collection.ts";
import { periodAt } from "./billing_periods.ts";
import { pauseNow, resumeNow } from "./pause.ts";
import { startingPeriod } from "./renewal.ts";

/** What is billed and credited when a subscription is paused. */
export interface PauseTerms {
  usage: "none" | "now";
  unusedTimeFrom: "item_current_period_start" | "none" | "now";
  isInvoiced: boolean;
}

export interface ResumeTerms {
  /** True when a new period begins now. Otherwise the old cycle continues. */
  startsPeriod: boolean;
  proration: "always_invoice" | "create_prorations" | "none";
  /** True when the pause lasts until the invoice of the new period is paid. */
  waitsForPayment: boolean;
}

/** Pauses a subscription on request: bills usage and credits unused time, as `terms` say. */
export function pauseOnRequest(change: Change, subscription: Subscription, terms: PauseTerms): Subscription {
  const { account } = change;
  const items = [
    ...creditsOf(change, subscription, terms),
    ...terms.usage === "now" ? usageOf(change, subscription) : [],
  ];
  for (const item of items) change.emit("invoiceitem.created", account.invoiceItems.put(item));
  const paused = pauseNow(change, subscription, "pause_requested");
  if (terms.isInvoiced && items.length > 0) billNow(change, paused);
  return account.subscriptions.get(subscription.id);
}

/** Resumes a subscription on request: bills a new period, or the rest of the current one. */
export function resumeOnRequest(
  change: Change,
  subscription: Subscription,
  terms: ResumeTerms,
): Subscription {
  if (terms.startsPeriod) resumeInNewPeriod(change, subscription, terms);
  else resumeInOldCycle(change, subscription, terms);
  return change.account.subscriptions.get(subscription.id);
}

function creditsOf(
  change: Change,
  subscription: Subscription,
  { unusedTimeFrom }: PauseTerms,
): InvoiceItem[] {
  if (unusedTimeFrom === "none") return [];
  return subscription.items.data.flatMap((item) => {
    const from = unusedTimeFrom === "now" ? change.now : item.current_period_start;
    return creditFor(change, subscription, item, from);
  });
}

/** The usage of the current period as invoice items, since this period gets no invoice of its own. */
function usageOf(change: Change, subscription: Subscription): InvoiceItem[] {
  const { account } = change;
  if (subscription.status === "trialing") return [];
  return subscription.items.data.filter(isMetered).flatMap((item) => {
    const period = { start: item.current_period_start, end: change.now };
    const line = lineForUsage(account, item, period, { invoice: "", subscription });
    if (line.amount === 0) return [];
    const { price } = item;
    return [newInvoiceItem(change.now, {
      amount: line.amount,
      currency: line.currency,
      customer: account.customers.get(subscription.customer),
      description: line.description,
      metadata: {},
      period,
      price: {
        id: price.id,
        product: price.product,
        unitAmountDecimal: price.unit_amount_decimal === null ? null : String(price.unit_amount_decimal),
      },
      quantity: line.quantity ?? 1,
      subscription: { id: subscription.id, item: item.id },
      isProration: false,
    })];
  });
}

/** When the pause waits for the payment, it ends when the invoice is paid. */
function resumeInNewPeriod(change: Change, subscription: Subscription, { waitsForPayment }: ResumeTerms) {
  const { account } = change;
  const renewed = account.subscriptions.put(startingPeriod(change, subscription));
  const current = waitsForPayment ? renewed : resumeNow(change, renewed);
  billNow(
    change,
    current,
    (invoice) =>
      current.items.data.filter((item) => !isMetered(item)).map((item) =>
        lineForItem(account, item, { invoice, subscription: current, isTrial: false })
      ),
  );
}

function resumeInOldCycle(change: Change, subscription: Subscription, { proration }: ResumeTerms) {
  const { account } = change;
  const resumed = resumeNow(change, account.subscriptions.put(inRunningPeriod(change, subscription)));
  if (proration === "none") return;
  const rest = resumed.items.data.flatMap((item) => chargeFor(change, resumed, item, change.now));
  for (const item of rest) change.emit("invoiceitem.created", account.invoiceItems.put(item));
  if (proration === "always_invoice" && rest.length > 0) billNow(change, resumed);
}

/** The current period starts again now, because usage before the pause is already billed. */
function inRunningPeriod(change: Change, subscription: Subscription): Subscription {
  const data = subscription.items.data.map((item) => {
    const { end } = periodAt(subscription.billing_cycle_anchor, recurringPriceOf(item).recurring, change.now);
    return { ...item, current_period_start: change.now, current_period_end: end };
  });
  return { ...subscription, items: { ...subscription.items, data } };
}

/** Bills a subscription with an invoice that is finalized and collected immediately. */
function billNow(change: Change, subscription: Subscription, linesOf?: (invoice: string) => InvoiceLine[]) {
  const { account } = change;
  const draft = planDraft(change, subscription, { linesOf, billingReason: "subscription_update" });
  storeDraft(change, draft);
  account.subscriptions.put({ ...subscription, latest_invoice: draft.id });
  change.emit("invoice.created", draft);
  const invoice = finalizeDraft(change, draft);
  if (invoice.status === "open") collectAutomatically(change, invoice);
}
