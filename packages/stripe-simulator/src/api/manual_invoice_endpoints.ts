import { sendInvoice } from "../behaviour/invoices/invoice_requests.ts";
import { deleteDraft, draftInvoice, updateInvoice } from "../behaviour/invoices/manual_invoice.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { boolean, clearable, currency, integer, metadata, oneOf, text } from "../wire/params.ts";
import { discounts } from "./discount_params.ts";
import { automaticTax } from "./shared_params.ts";
import { checkTaxLocation } from "../behaviour/taxes/automatic_tax.ts";
import { redeemable } from "../behaviour/discounts/redemption.ts";
import { endpoint } from "./endpoint.ts";

const fields = {
  auto_advance: boolean().optional(),
  default_payment_method: clearable(text()).optional(),
  description: clearable(text(1500)).optional(),
  footer: clearable(text()).optional(),
  metadata: metadata().optional(),
};

/** Invoices that are created through the API, not by a subscription. */
export const manualInvoiceEndpoints = [
  endpoint("POST /v1/invoices", {
    ...fields,
    automatic_tax: automaticTax.optional(),
    discounts: discounts.optional(),
    collection_method: oneOf("charge_automatically", "send_invoice").default("charge_automatically"),
    currency: currency().optional(),
    customer: text().optional(),
    days_until_due: integer({ min: 0 }).optional(),
    pending_invoice_items_behavior: oneOf("exclude", "include").default("exclude"),
    subscription: text().optional(),
  }, ({ account, change, params }) => {
    const { subscription: subscriptionId, customer: customerId } = params;
    const subscription = subscriptionId === undefined
      ? null
      : account.subscriptions.getReferenced(subscriptionId, "subscription");
    const owner = customerId ?? subscription?.customer;
    if (owner === undefined) throw missingParameter("customer");
    const customer = account.customers.getReferenced(owner, "customer");
    if (subscription && subscription.customer !== customer.id) {
      throw invalidRequest("The subscription belongs to another customer.", { param: "subscription" });
    }
    const { collection_method, days_until_due: days } = params;
    if (collection_method === "send_invoice" && days === undefined) throw missingParameter("days_until_due");
    if (collection_method !== "send_invoice" && days !== undefined) {
      throw invalidRequest("`days_until_due` can only be used with `collection_method=send_invoice`.", {
        param: "days_until_due",
      });
    }
    const { auto_advance = false, default_payment_method = null, description = null, footer = null } = params;
    const currency = params.currency ?? subscription?.currency ?? customer.currency ?? "usd";
    if (params.automatic_tax?.enabled) checkTaxLocation(customer);
    return draftInvoice(change.of(customer), {
      customer,
      subscription,
      currency,
      isTaxed: params.automatic_tax?.enabled ?? false,
      coupons: (params.discounts ?? []).map((wanted, index) =>
        redeemable(change.of(customer), wanted, `discounts[${index}]`, {
          amount: null,
          currency,
          customer: customer.id,
        })
      ),
      includesPending: params.pending_invoice_items_behavior === "include" || subscription !== null,
      own: {
        auto_advance,
        collection_method,
        due_date: days === undefined ? null : change.of(customer).now + days * 86_400,
        default_payment_method,
        description,
        footer,
        metadata: mergeMetadata({}, params.metadata),
      },
    });
  }),

  endpoint("POST /v1/invoices/:id", fields, ({ account, change, params, id }) => {
    const before = account.invoices.get(id);
    return updateInvoice(change.of(before), before, {
      ...before,
      ...params,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
  }),

  endpoint("POST /v1/invoices/:id/send", {}, ({ account, change, id }) => {
    const invoice = account.invoices.get(id);
    return sendInvoice(change.of(invoice), invoice);
  }),

  endpoint("DELETE /v1/invoices/:id", {}, ({ account, change, id }) => {
    const draft = account.invoices.get(id);
    return deleteDraft(change.of(draft), draft);
  }),
];
