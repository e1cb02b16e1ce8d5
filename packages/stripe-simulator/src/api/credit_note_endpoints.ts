import { z } from "zod";
import {
  type CreditNoteTerms,
  issueCreditNote,
  previewCreditNote,
  voidCreditNote,
} from "../behaviour/refunds/credit_notes.ts";
import type { Invoice } from "../objects/invoice.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { clearable, integer, list, metadata, oneOf, pagination, text, timeFilter } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/credit_notes";
const amount = integer({ min: 1 }).optional();

const createParams = {
  amount,
  credit_amount: integer({ min: 0 }).default(0),
  email_type: oneOf("credit_note", "none").optional(),
  invoice: text(),
  lines: list(z.strictObject({
    amount,
    description: text().optional(),
    invoice_line_item: text().optional(),
    quantity: integer({ min: 1 }).optional(),
    type: oneOf("custom_line_item", "invoice_line_item"),
    unit_amount: amount,
  })).optional(),
  memo: text().optional(),
  metadata: metadata().optional(),
  out_of_band_amount: integer({ min: 0 }).default(0),
  reason: oneOf("duplicate", "fraudulent", "order_change", "product_unsatisfactory").optional(),
  refund_amount: integer({ min: 0 }).default(0),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const creditNoteEndpoints = [
  endpoint(`POST ${path}`, createParams, ({ account, change, params }) => {
    const invoice = account.invoices.getReferenced(params.invoice, "invoice");
    return issueCreditNote(change.of(invoice), invoice, termsOf(invoice, params));
  }),

  endpoint(`GET ${path}/preview`, createParams, ({ account, change, params }) => {
    const invoice = account.invoices.getReferenced(params.invoice, "invoice");
    return previewCreditNote(change.of(invoice), invoice, termsOf(invoice, params));
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    created: timeFilter().optional(),
    customer: text().optional(),
    invoice: text().optional(),
  }, ({ account, params }) => {
    const found = account.creditNotes.newestFirst().filter((note) =>
      (params.customer === undefined || note.customer === params.customer) &&
      (params.invoice === undefined || note.invoice === params.invoice) &&
      passes(note.created, params.created)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.creditNotes.get(id)),

  endpoint(`GET ${path}/:id/lines`, pagination, ({ account, params, id }) => {
    return paginate(account.creditNotes.get(id).lines.data, params, `${path}/${id}/lines`);
  }),

  endpoint(`POST ${path}/:id`, {
    memo: clearable(text()).optional(),
    metadata: metadata().optional(),
  }, ({ account, change, params, id }) => {
    const before = account.creditNotes.get(id);
    const after = account.creditNotes.put({
      ...before,
      memo: params.memo === undefined ? before.memo : params.memo,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.of(before).emit("credit_note.updated", after, before);
    return after;
  }),

  endpoint(`POST ${path}/:id/void`, {}, ({ account, change, id }) => {
    const note = account.creditNotes.get(id);
    return voidCreditNote(change.of(note), note);
  }),
];

function termsOf(invoice: Invoice, params: CreateParams): CreditNoteTerms {
  if ((params.amount === undefined) === (params.lines === undefined)) {
    throw params.amount === undefined
      ? missingParameter("amount")
      : invalidRequest("You may only specify one of these parameters: amount, lines.", { param: "amount" });
  }
  return {
    amount: params.amount ?? null,
    creditAmount: params.credit_amount,
    lines: (params.lines ?? []).map((line, index) => {
      const unit = line.unit_amount ?? unitOf(invoice, line.invoice_line_item);
      const value = line.amount ?? (unit === null ? null : Math.round(unit * (line.quantity ?? 1)));
      if (value === null) throw missingParameter(`lines[${index}][amount]`);
      return {
        amount: value,
        description: line.description ?? null,
        line: line.type === "invoice_line_item" ? line.invoice_line_item ?? "" : null,
        quantity: line.quantity ?? null,
      };
    }),
    memo: params.memo ?? null,
    metadata: mergeMetadata({}, params.metadata),
    outOfBandAmount: params.out_of_band_amount,
    reason: params.reason ?? null,
    refundAmount: params.refund_amount,
  };
}

/** The price of one unit of an invoice's line after discounts. */
function unitOf({ lines }: Invoice, id: string | undefined): number | null {
  const line = lines.data.find((line) => line.id === id);
  if (!line) return null;
  const off = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
  return (line.amount - off) / (line.quantity || 1);
}
