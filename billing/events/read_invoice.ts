import { z } from "zod";
import { hashOf, idOf, IncompleteObjectError, listOf, type ObjectReading, time } from "./stripe_fields.ts";

const amount = z.number().int();

const lineSchema = z.object({
  amount,
  pricing: z.object({ price_details: z.object({ price: idOf }).nullish() }).nullable(),
});

/** The fields in use of an invoice (https://docs.stripe.com/api/invoices/object). */
const invoiceSchema = z.object({
  id: z.string(),
  customer: idOf,
  number: z.string().nullable(),
  status: z.string().nullable(),
  billing_reason: z.string().nullable(),
  currency: z.string(),
  subtotal: amount,
  total: amount,
  total_discount_amounts: z.array(z.object({ amount })).nullable(),
  total_taxes: z.array(z.object({ amount })).nullable(),
  amount_due: amount,
  amount_paid: amount,
  // A draft that was deleted may come without its addresses.
  hosted_invoice_url: z.string().nullish(),
  invoice_pdf: z.string().nullish(),
  created: time,
  status_transitions: z.object({ paid_at: time.nullable() }),
  parent: z.object({
    subscription_details: z.object({ subscription: idOf }).nullable(),
  }).nullable(),
  lines: listOf(lineSchema),
});

/** An invoice as the database stores it, with the column names of table `invoices`. */
export type InvoiceState = {
  id: string;
  subscription_id: string | null;
  number: string | null;
  status: string;
  billing_reason: string | null;
  currency: string;
  subtotal_cents: number;
  discount_cents: number;
  tax_cents: number;
  total_cents: number;
  amount_due_cents: number;
  amount_paid_cents: number;
  hosted_invoice_url: string | null;
  invoice_pdf: string | null;
  issued_at: string;
  paid_at: string | null;
  price_ids: string[];
};

/**
 * Reads an invoice, from an event or from Stripe's API. `status`: what it is now, whatever the object says, for a draft that
 * was deleted.
 *
 * Throws `z.ZodError` when it is of another shape, and `IncompleteObjectError` when it has more lines than are listed.
 */
export function readInvoice(object: unknown, status?: "deleted"): ObjectReading<InvoiceState> {
  const invoice = invoiceSchema.parse(object);
  if (invoice.lines.has_more) throw new IncompleteObjectError("it has more lines than it lists");
  const sum = (parts: { amount: number }[] | null) =>
    (parts ?? []).reduce((sum, { amount }) => sum + amount, 0);
  // A line with a negative amount takes back what was billed before: it is not paid for.
  const prices = invoice.lines.data.filter(({ amount }) => amount >= 0)
    .map(({ pricing }) => pricing?.price_details?.price).filter((price) => price !== undefined);
  // Stripe writes new addresses each time it is asked, so they say nothing about a change.
  const addresses = {
    hosted_invoice_url: invoice.hosted_invoice_url ?? null,
    invoice_pdf: invoice.invoice_pdf ?? null,
  };
  const state = {
    id: invoice.id,
    subscription_id: invoice.parent?.subscription_details?.subscription ?? null,
    number: invoice.number,
    status: status ?? invoice.status ?? "draft",
    billing_reason: invoice.billing_reason,
    currency: invoice.currency,
    subtotal_cents: invoice.subtotal,
    discount_cents: sum(invoice.total_discount_amounts),
    tax_cents: sum(invoice.total_taxes),
    total_cents: invoice.total,
    amount_due_cents: invoice.amount_due,
    amount_paid_cents: invoice.amount_paid,
    issued_at: invoice.created,
    paid_at: invoice.status_transitions.paid_at,
    price_ids: [...new Set(prices)],
  };
  return { customerId: invoice.customer, state: { ...state, ...addresses }, hash: hashOf(state) };
}
