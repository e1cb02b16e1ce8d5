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
  markPaid,
  methodForInvoice,
} from "../payments/payment_collection.ts";

/** Finalizes a draft on request. With `advances` it is collected automatically after `draft_seconds`. */
export function finalizeOnRequest(change: Change, draft: Invoice, advances: boolean): Invoice {
  if (draft.status !== "draft") {
    throw invalidRequest("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
      code: "invoice_not_editable",
    });
  }
  const { account } = change;
  const invoice = finalizeDraft(change, { ...draft, auto_advance: advances });
  if (invoice.status !== "open") return invoice;
  const isCollected = advances && invoice.collection_method === "charge_automatically";
  const next = isCollected ? change.now + account.billingSettings.draft_seconds : null;
  return account.invoices.put({ ...invoice, next_payment_attempt: next });
}

/**
 * Pays an invoice on request and finalizes it before when it is a draft. Throws a 402 when the card is declined; the
 * failed payment is kept. Throws a 400 when there is no card or the invoice cannot be paid.
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
  const isAccepted = attempt.outcome === "succeeded" || attempt.outcome === "processing";
  if (!isAccepted) throw failureOf(attempt);
  return account.invoices.get(invoice.id);
}

/** Sends an invoice by e-mail: only the event shows it. A draft is finalized before. */
export function sendInvoice(change: Change, invoice: Invoice): Invoice {
  if (invoice.collection_method !== "send_invoice") {
    throw invalidRequest("You can only send an invoice whose `collection_method` is `send_invoice`.");
  }
  const open = payable(change, invoice);
  change.emit("invoice.sent", open);
  return open;
}

/** Marks an invoice as paid outside of Stripe. */
export function markPaidOutOfBand(change: Change, invoice: Invoice): Invoice {
  const open = payable(change, invoice);
  if (open.status === "paid") return open;
  cancelPayment(change, open);
  markPaid(change, open, null);
  return change.account.invoices.get(invoice.id);
}

/** Throws a 400 unless the invoice has one of these statuses. */
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
