import type { Change } from "../../account/change.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { invalidRequest, StripeError } from "../../wire/errors.ts";
import { actionRequired, cardError, cardMissing, type Presence } from "../payments/card_verdict.ts";
import {
  type Attempt,
  cancelPayment,
  collect,
  finalizeDraft,
  methodForInvoice,
  settle,
} from "../payments/payment_collection.ts";

/** Makes a draft final on request. With `advances` it is collected by itself within the hour. */
export function finalizeOnRequest(change: Change, draft: Invoice, advances: boolean): Invoice {
  if (draft.status !== "draft") {
    throw invalidRequest("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
      code: "invoice_not_editable",
    });
  }
  const { account } = change;
  const invoice = finalizeDraft(change, { ...draft, auto_advance: advances });
  if (invoice.status !== "open") return invoice;
  const next = advances ? change.now + account.billingSettings.draft_seconds : null;
  return account.invoices.put({ ...invoice, next_payment_attempt: next });
}

/**
 * Pays an invoice on request, a draft as well. Throws a 402 when the card is declined: the failed payment stays in the
 * account. Throws a 400 when there is no card or nothing left to be paid.
 */
export function payOnRequest(
  change: Change,
  invoice: Invoice,
  { method, presence }: { method: PaymentMethod | undefined; presence: Presence },
): Invoice {
  const { account } = change;
  const open = payable(change, invoice);
  if (open.status === "paid") return open;
  const card = method ?? methodForInvoice(account, open);
  if (!card) throw cardMissing();
  const attempt = collect(change, open, card, presence);
  if (attempt.outcome !== "succeeded") throw failureOf(attempt);
  return account.invoices.get(invoice.id);
}

/** Notes that an invoice was paid in some other way. */
export function settleOutOfBand(change: Change, invoice: Invoice): Invoice {
  const open = payable(change, invoice);
  if (open.status === "paid") return open;
  cancelPayment(change, open);
  settle(change, open, null);
  return change.account.invoices.get(invoice.id);
}

/** Refuses to touch an invoice that is not in one of these states. */
export function rejectUnless(invoice: Invoice, ...statuses: NonNullable<Invoice["status"]>[]) {
  if (invoice.status && statuses.includes(invoice.status)) return;
  throw invalidRequest(
    `You can only do this to an invoice that is ${statuses.join(" or ")}. This one is ${invoice.status}.`,
    { code: "invoice_not_editable" },
  );
}

function payable(change: Change, invoice: Invoice): Invoice {
  if (invoice.status === "paid") throw invalidRequest("Invoice is already paid");
  if (invoice.status === "void") throw invalidRequest("This invoice is void and can no longer be paid.");
  return invoice.status === "draft" ? finalizeDraft(change, invoice) : invoice;
}

function failureOf({ charge, decline, intent }: Attempt): StripeError {
  if (!decline) return withDetails(actionRequired(), { payment_intent: intent });
  return withDetails(cardError(decline), { charge: charge?.id, payment_intent: intent });
}

function withDetails(
  error: StripeError,
  { charge, payment_intent }: { charge?: string; payment_intent: object },
): StripeError {
  const details = { ...error.details, ...(charge === undefined ? {} : { charge }), payment_intent };
  return new StripeError(error.status, error.type, error.message, details);
}
