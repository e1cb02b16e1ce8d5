import type Stripe from "stripe";
import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { type CreditedLine, type CreditNote, newCreditNote } from "../../objects/credit_note.ts";
import { newId } from "../../objects/ids.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { Charge } from "../../objects/payment.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { cancelPayment, markPaid, resizePayment } from "../payments/payment_collection.ts";
import { changeBalance } from "./customer_balance.ts";
import { refundCharge } from "./refund_requests.ts";

/** What a credit note takes back and how. */
export interface CreditNoteTerms {
  /** The total, tax included. Null when lines are given. */
  amount: number | null;
  lines: { line: string | null; amount: number; description: string | null; quantity: number | null }[];
  creditAmount: number;
  refundAmount: number;
  outOfBandAmount: number;
  memo: string | null;
  metadata: Stripe.Metadata;
  reason: Stripe.CreditNote.Reason | null;
}

/**
 * Issues a credit note. On an open invoice it lowers what is still due; on a paid one it is refunded, put on the
 * customer's balance or settled outside of Stripe, as requested. Throws Stripe's 400s.
 */
export function issueCreditNote(change: Change, invoice: Invoice, terms: CreditNoteTerms): CreditNote {
  const { account } = change;
  const lines = creditedLines(invoice, terms);
  const draft = noteFor(change, invoice, { terms, lines });
  checkAmounts(account, invoice, draft, terms);
  const isOpen = invoice.status === "open";
  const refund = terms.refundAmount > 0
    ? refundCharge(change, chargeOf(account, invoice), { amount: terms.refundAmount })
    : null;
  const customer = account.customers.get(String(invoice.customer));
  const credit = terms.creditAmount > 0
    ? changeBalance(change, customer, -terms.creditAmount, {
      creditNote: draft.id,
      currency: invoice.currency,
      invoice: invoice.id,
      type: "credit_note",
    })
    : null;
  const note = account.creditNotes.put({
    ...draft,
    customer_balance_transaction: credit?.id ?? null,
    refunds: refund
      ? [{ amount_refunded: refund.amount, payment_record_refund: null, refund: refund.id, type: "refund" }]
      : [],
  });
  change.emit("credit_note.created", note);
  if (isOpen) lowerAmountDue(change, invoice, note.total);
  else {
    const amount = invoice.post_payment_credit_notes_amount + note.total;
    const after = account.invoices.put({ ...invoice, post_payment_credit_notes_amount: amount });
    change.emit("invoice.updated", after, invoice);
  }
  return note;
}

/** Calculates a credit note without issuing it. */
export function previewCreditNote(change: Change, invoice: Invoice, terms: CreditNoteTerms): CreditNote {
  const draft = noteFor(change, invoice, { terms, lines: creditedLines(invoice, terms) });
  checkAmounts(change.account, invoice, draft, terms);
  return draft;
}

/** Voids a credit note of an open invoice. Its amount is due again. Throws a 400 for those of a paid invoice. */
export function voidCreditNote(change: Change, before: CreditNote): CreditNote {
  const { account } = change;
  const invoice = account.invoices.get(before.invoice);
  if (before.status !== "issued" || invoice.status !== "open") {
    throw invalidRequest("You can only void a credit note that is issued for an open invoice.");
  }
  const after = account.creditNotes.put({ ...before, status: "void", voided_at: change.now });
  change.emit("credit_note.voided", after);
  lowerAmountDue(change, invoice, -before.total);
  return after;
}

function noteFor(
  { account, now }: Change,
  invoice: Invoice,
  { terms, lines }: { terms: CreditNoteTerms; lines: CreditedLine[] },
): CreditNote {
  const id = newId("cn");
  const number = account.creditNotes.oldestFirst().filter((note) => note.invoice === invoice.id).length + 1;
  const total = lines.reduce((sum, line) => sum + line.amount + addedTax(line), 0);
  return newCreditNote(now, {
    id,
    customerBalanceTransaction: null,
    invoice,
    lines,
    memo: terms.memo,
    metadata: terms.metadata,
    number: `${invoice.number}-CN-${String(number).padStart(2, "0")}`,
    outOfBand: terms.outOfBandAmount,
    pdf: `${invoice.invoice_pdf}?credit_note=${id}`,
    prePayment: invoice.status === "open" ? total : 0,
    reason: terms.reason,
    refunds: [],
  });
}

const addedTax = ({ taxes }: CreditedLine) =>
  taxes.reduce((sum, tax) => sum + (tax.tax_behavior === "exclusive" ? tax.amount : 0), 0);

/** The credited parts with their taxes, in proportion to the invoice's. */
function creditedLines(invoice: Invoice, { amount, lines }: CreditNoteTerms): CreditedLine[] {
  if (amount !== null) {
    const taxes = partOf(invoice.total_taxes ?? [], invoice.total === 0 ? 0 : amount / invoice.total);
    const added = taxes.reduce((sum, tax) => sum + (tax.tax_behavior === "exclusive" ? tax.amount : 0), 0);
    return [{ amount: amount - added, description: null, invoiceLine: null, quantity: 1, taxes }];
  }
  return lines.map((wanted, index) => {
    if (wanted.line === null) {
      return {
        ...wanted,
        description: wanted.description,
        invoiceLine: null,
        quantity: wanted.quantity,
        taxes: [],
      };
    }
    const line = invoice.lines.data.find(({ id }) => id === wanted.line);
    if (!line) {
      throw invalidRequest(`No such line item: '${wanted.line}'`, {
        code: "resource_missing",
        param: `lines[${index}][invoice_line_item]`,
      });
    }
    const off = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
    const net = line.amount - off;
    return {
      amount: wanted.amount,
      description: wanted.description ?? line.description,
      invoiceLine: line,
      quantity: wanted.quantity,
      taxes: partOf(line.taxes ?? [], net === 0 ? 0 : wanted.amount / net),
    };
  });
}

function partOf(taxes: CreditedLine["taxes"], part: number): CreditedLine["taxes"] {
  return taxes.map((tax) => ({
    ...tax,
    amount: Math.round(tax.amount * part),
    taxable_amount: tax.taxable_amount === null ? null : Math.round(tax.taxable_amount * part),
  }));
}

function checkAmounts(account: Account, invoice: Invoice, note: CreditNote, terms: CreditNoteTerms) {
  if (invoice.status !== "open" && invoice.status !== "paid") {
    throw invalidRequest("Credit notes can only be issued for invoices that are open or paid.", {
      param: "invoice",
    });
  }
  const given = account.creditNotes.oldestFirst().filter((other) =>
    other.invoice === invoice.id && other.status === "issued"
  ).reduce((sum, { total }) => sum + total, 0);
  const most = invoice.status === "open" ? invoice.amount_remaining : invoice.total - given;
  if (note.total <= 0 || note.total > most) {
    throw invalidRequest(`The credit note's amount must be greater than 0 and at most ${most}.`, {
      param: "amount",
    });
  }
  const spread = terms.creditAmount + terms.refundAmount + terms.outOfBandAmount;
  if (invoice.status === "paid" && spread !== note.total) {
    throw invalidRequest(
      "The sum of credit amount, refund amount and out of band amount " +
        `(${spread}) must equal the credit note amount (${note.total}).`,
    );
  }
  if (invoice.status === "open" && spread > 0) {
    throw invalidRequest("A credit note for an open invoice cannot be refunded or credited.", {
      param: "refund_amount",
    });
  }
}

/** Lowers what an open invoice still asks for. When nothing is left it is paid. */
function lowerAmountDue(change: Change, before: Invoice, amount: number) {
  const { account } = change;
  const after = account.invoices.put({
    ...before,
    amount_due: before.amount_due - amount,
    amount_remaining: before.amount_remaining - amount,
    pre_payment_credit_notes_amount: before.pre_payment_credit_notes_amount + amount,
  });
  change.emit("invoice.updated", after, before);
  if (after.amount_remaining > 0) return resizePayment(change, after);
  cancelPayment(change, after);
  markPaid(change, after, null);
}

function chargeOf(account: Account, invoice: Invoice): Charge {
  for (const { payment, status } of account.invoicePayments.of(invoice.id)) {
    const intent = account.paymentIntents.find(String(payment.payment_intent));
    const charge = account.charges.find(String(intent?.latest_charge));
    if (status === "paid" && charge) return charge;
  }
  throw invalidRequest("This invoice has no payment that can be refunded.", { param: "refund_amount" });
}
