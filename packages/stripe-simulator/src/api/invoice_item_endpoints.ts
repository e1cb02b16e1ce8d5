import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { rejectOtherCurrency } from "../behaviour/catalog/customer_currency.ts";
import { addToDraft, takeOffDraft } from "../behaviour/invoices/manual_invoice.ts";
import { newId } from "../objects/ids.ts";
import type { Customer } from "../objects/customer.ts";
import { type InvoiceItem, newInvoiceItem } from "../objects/invoice_item.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  clearable,
  currency,
  integer,
  metadata,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/invoiceitems";

const createParams = {
  amount: integer().optional(),
  currency: currency().optional(),
  customer: text(),
  description: text().optional(),
  discountable: boolean().optional(),
  invoice: text().optional(),
  metadata: metadata().optional(),
  period: z.strictObject({ start: timestamp(), end: timestamp() }).optional(),
  pricing: z.strictObject({ price: text() }).optional(),
  quantity: integer({ min: 0 }).optional(),
  subscription: text().optional(),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const invoiceItemEndpoints = [
  endpoint(`POST ${path}`, createParams, ({ account, change: cause, params }) => {
    const customer = account.customers.getReferenced(params.customer, "customer");
    const change = cause.of(customer);
    const made = makeItem(change, customer, params);
    if (params.invoice === undefined) rejectOtherCurrency(account, customer, made.currency);
    const item = account.invoiceItems.put(made);
    change.emit("invoiceitem.created", item);
    if (params.invoice === undefined) return item;
    const invoice = account.invoices.getReferenced(params.invoice, "invoice");
    if (invoice.status !== "draft" || invoice.customer !== customer.id) {
      throw invalidRequest("The invoice must be a draft of the same customer.", { param: "invoice" });
    }
    addToDraft(change, invoice, item);
    return account.invoiceItems.put({ ...item, invoice: invoice.id });
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    created: timeFilter().optional(),
    customer: text().optional(),
    invoice: text().optional(),
    pending: boolean().optional(),
  }, ({ account, params }) => {
    const found = account.invoiceItems.newestFirst().filter((item) =>
      (params.customer === undefined || item.customer === params.customer) &&
      (params.invoice === undefined || item.invoice === params.invoice) &&
      (params.pending === undefined || (item.invoice === null) === params.pending) &&
      passes(item.date, params.created)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.invoiceItems.get(id)),

  endpoint(`POST ${path}/:id`, {
    amount: integer().optional(),
    description: clearable(text()).optional(),
    discountable: boolean().optional(),
    metadata: metadata().optional(),
  }, ({ account, params, id }) => {
    const before = account.invoiceItems.get(id);
    rejectUnlessPending(before);
    const { amount = before.amount, ...fields } = params;
    return account.invoiceItems.put({
      ...before,
      ...fields,
      amount,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      net_amount: amount,
    });
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, change, id }) => {
    const item = account.invoiceItems.get(id);
    takeOffDraft(change.of(item), item);
    account.invoiceItems.remove(id);
    change.of(item).emit("invoiceitem.deleted", item);
    return { id, object: "invoiceitem", deleted: true };
  }),
];

function makeItem(change: Change, customer: Customer, params: CreateParams): InvoiceItem {
  const { account, now } = change;
  if (params.subscription) account.subscriptions.getReferenced(params.subscription, "subscription");
  const item = newInvoiceItem(now, {
    ...valueOf(account, params, customer.currency ?? "usd"),
    customer,
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
    period: params.period ?? { start: now, end: now },
    subscription: params.subscription === undefined ? null : { id: params.subscription },
    isProration: false,
  });
  return { ...item, discountable: params.discountable ?? item.discountable };
}

/**
 * The amount of an invoice item: a plain amount, or a quantity of a one-time price. Without a currency it is in the
 * customer's, or else in the account's.
 */
function valueOf(account: Account, params: CreateParams, otherwise: string) {
  const { amount, pricing, quantity = 1 } = params;
  if (amount !== undefined) {
    // Stripe makes a price for the amount, which cannot be used otherwise.
    const price = { id: newId("price"), product: newId("prod", 14), unitAmountDecimal: String(amount) };
    return { amount, currency: params.currency ?? otherwise, price, quantity: 1 };
  }
  if (!pricing) throw missingParameter("amount");
  const price = account.prices.getReferenced(pricing.price, "pricing[price]");
  if (price.recurring || price.unit_amount === null) {
    throw invalidRequest("The price must be one that is paid once.", { param: "pricing[price]" });
  }
  return {
    amount: price.unit_amount * quantity,
    currency: price.currency,
    price: {
      id: price.id,
      product: price.product,
      unitAmountDecimal: price.unit_amount_decimal?.toString() ?? null,
    },
    quantity,
  };
}

function rejectUnlessPending(item: InvoiceItem) {
  if (item.invoice === null) return;
  throw invalidRequest("Only invoice items that are not yet on an invoice can be changed.");
}
