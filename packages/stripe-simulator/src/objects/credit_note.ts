import type Stripe from "stripe";
import { completeList, type List } from "../wire/list.ts";
import { newId } from "./ids.ts";
import type { Invoice, InvoiceLine } from "./invoice.ts";
import type { Stored } from "./stored_object.ts";

export type CreditNote = Omit<Stored<Stripe.CreditNote>, "lines" | "refunds"> & {
  lines: List<CreditNoteLine>;
  refunds: { amount_refunded: number; payment_record_refund: null; refund: string; type: "refund" }[];
};
export type CreditNoteLine = Stored<Stripe.CreditNoteLineItem>;

/** A line of a credit note: a part of a line of the invoice, or an amount of its own. */
export interface CreditedLine {
  /** The amount before tax that is added to it. */
  amount: number;
  description: string | null;
  invoiceLine: InvoiceLine | null;
  quantity: number | null;
  taxes: NonNullable<InvoiceLine["taxes"]>;
}

export function newCreditNote(created: number, fields: {
  id: string;
  customerBalanceTransaction: string | null;
  invoice: Invoice;
  lines: CreditedLine[];
  memo: string | null;
  metadata: Stripe.Metadata;
  number: string;
  outOfBand: number;
  pdf: string;
  prePayment: number;
  reason: Stripe.CreditNote.Reason | null;
  refunds: { refund: string; amount: number }[];
}): CreditNote {
  const { id, invoice, lines } = fields;
  const taxes = lines.flatMap((line) => line.taxes);
  const added = sum(taxes.filter((tax) => tax.tax_behavior === "exclusive"));
  const included = sum(taxes) - added;
  const subtotal = sum(lines);
  const total = subtotal + added;
  return {
    id,
    object: "credit_note",
    amount: total,
    amount_shipping: 0,
    created,
    currency: invoice.currency,
    customer: String(invoice.customer),
    customer_account: null,
    customer_balance_transaction: fields.customerBalanceTransaction,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: created,
    invoice: invoice.id,
    lines: completeList(lines.map(newCreditNoteLine), `/v1/credit_notes/${id}/lines`),
    livemode: false,
    memo: fields.memo,
    metadata: fields.metadata,
    number: fields.number,
    out_of_band_amount: fields.outOfBand || null,
    pdf: fields.pdf,
    post_payment_amount: total - fields.prePayment,
    pre_payment_amount: fields.prePayment,
    pretax_credit_amounts: [],
    reason: fields.reason,
    refunds: fields.refunds.map(({ refund, amount }) => ({
      amount_refunded: amount,
      payment_record_refund: null,
      refund,
      type: "refund",
    })),
    shipping_cost: null,
    status: "issued",
    subtotal,
    subtotal_excluding_tax: subtotal - included,
    total,
    total_excluding_tax: subtotal - included,
    total_taxes: taxes,
    type: fields.prePayment === total ? "pre_payment" : fields.prePayment === 0 ? "post_payment" : "mixed",
    voided_at: null,
  };
}

function newCreditNoteLine(line: CreditedLine): CreditNoteLine {
  return {
    id: newId("cnli"),
    object: "credit_note_line_item",
    amount: line.amount,
    description: line.description,
    discount_amount: 0,
    discount_amounts: [],
    ...(line.invoiceLine ? { invoice_line_item: line.invoiceLine.id } : {}),
    livemode: false,
    metadata: {},
    pretax_credit_amounts: [],
    quantity: line.quantity,
    tax_rates: [],
    taxes: line.taxes,
    type: line.invoiceLine ? "invoice_line_item" : "custom_line_item",
    unit_amount: line.invoiceLine ? null : line.amount,
    unit_amount_decimal: line.invoiceLine ? null : String(line.amount),
  };
}

const sum = (parts: { amount: number }[]) => parts.reduce((total, { amount }) => total + amount, 0);
