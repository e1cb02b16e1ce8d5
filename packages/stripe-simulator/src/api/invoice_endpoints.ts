import { paginate, passes } from "../wire/pagination.ts";
import { oneOf, pagination, text, timeFilter } from "../wire/params.ts";
import { isShown } from "./clock_filter.ts";
import { endpoint } from "./endpoint.ts";

export const invoiceEndpoints = [
  endpoint("GET /v1/invoices", {
    ...pagination,
    collection_method: oneOf("charge_automatically", "send_invoice").optional(),
    created: timeFilter().optional(),
    customer: text().optional(),
    status: oneOf("draft", "open", "paid", "uncollectible", "void").optional(),
    subscription: text().optional(),
  }, ({ account, params }) => {
    const all = params.customer === undefined
      ? account.invoices.newestFirst()
      : account.invoices.of(params.customer).reverse();
    const found = all.filter((invoice) =>
      isShown(invoice, params) &&
      (params.collection_method === undefined || invoice.collection_method === params.collection_method) &&
      (params.status === undefined || invoice.status === params.status) &&
      (params.subscription === undefined ||
        invoice.parent?.subscription_details?.subscription === params.subscription) &&
      passes(invoice.created, params.created)
    );
    return paginate(found, params, "/v1/invoices");
  }),

  endpoint("GET /v1/invoices/:id", {}, ({ account, id }) => account.invoices.get(id)),

  endpoint("GET /v1/invoices/:id/lines", pagination, ({ account, params, id }) => {
    return paginate(account.invoices.get(id).lines.data, params, `/v1/invoices/${id}/lines`);
  }),
];
