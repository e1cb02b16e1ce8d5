import { z } from "zod";
import { methodInParam } from "../behaviour/payments/card_attachment.ts";
import { confirmIntent } from "../behaviour/payments/payment_confirmation.ts";
import { missingParameter } from "../wire/errors.ts";
import { paginate } from "../wire/pagination.ts";
import { boolean, oneOf, pagination, text, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

/** Payments are created by invoices and checkouts. Those of invoices can be confirmed. */
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

  endpoint("POST /v1/payment_intents/:id/confirm", {
    off_session: boolean().default(false),
    payment_method: text().optional(),
    return_url: url().optional(),
  }, (call) => {
    const { account, params, id } = call;
    const intent = account.paymentIntents.get(id);
    const change = call.change.of(intent);
    const name = params.payment_method ?? intent.payment_method;
    if (!name) throw missingParameter("payment_method");
    return confirmIntent(change, intent, {
      method: methodInParam(change, name, "payment_method"),
      presence: params.off_session ? "off_session" : "on_session",
    });
  }),

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
