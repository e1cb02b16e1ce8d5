import { z } from "zod";
import { endpoint } from "../protocol/endpoint.ts";
import { paginate } from "../protocol/pagination.ts";
import { oneOf, pagination, text } from "../protocol/params.ts";

/** Payments come into being by paying invoices; here they can be read. */
export const paymentEndpoints = [
  endpoint(
    "GET /v1/payment_intents",
    { ...pagination, customer: text().optional() },
    ({ account, params }) => {
      const { customer } = params;
      const found = account.paymentIntents.newestFirst().filter((intent) =>
        !customer || intent.customer === customer
      );
      return paginate(found, params, "/v1/payment_intents");
    },
  ),

  endpoint("GET /v1/payment_intents/:id", {}, ({ account, id }) => account.paymentIntents.get(id)),

  endpoint("GET /v1/charges", { ...pagination, customer: text().optional() }, ({ account, params }) => {
    const { customer } = params;
    const found = account.charges.newestFirst().filter((charge) => !customer || charge.customer === customer);
    return paginate(found, params, "/v1/charges");
  }),

  endpoint("GET /v1/charges/:id", {}, ({ account, id }) => account.charges.get(id)),

  endpoint("GET /v1/invoice_payments", {
    ...pagination,
    invoice: text().optional(),
    payment: z.strictObject({ type: oneOf("payment_intent"), payment_intent: text() }).optional(),
    status: oneOf("canceled", "open", "paid").optional(),
  }, ({ account, params }) => {
    const found = account.invoicePayments.newestFirst().filter((payment) =>
      (params.invoice === undefined || payment.invoice === params.invoice) &&
      (params.payment === undefined || payment.payment.payment_intent === params.payment.payment_intent) &&
      (params.status === undefined || payment.status === params.status)
    );
    return paginate(found, params, "/v1/invoice_payments");
  }),

  endpoint("GET /v1/invoice_payments/:id", {}, ({ account, id }) => account.invoicePayments.get(id)),
];
