import { z } from "zod";
import type { Presence } from "../behaviour/payments/card_verdict.ts";
import { methodInParam } from "../behaviour/payments/card_attachment.ts";
import { confirmIntent } from "../behaviour/payments/payment_confirmation.ts";
import {
  cancelStandalone,
  captureStandalone,
  chargeStandalone,
  openStandalone,
} from "../behaviour/payments/standalone_payment.ts";
import { missingParameter } from "../wire/errors.ts";
import { paginate } from "../wire/pagination.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import {
  anything,
  boolean,
  currency,
  integer,
  metadata,
  oneOf,
  pagination,
  text,
  url,
} from "../wire/params.ts";
import { shipping } from "./shared_params.ts";
import { endpoint } from "./endpoint.ts";

function presenceOf({ off_session: isAway }: { off_session: boolean }): Presence {
  return isAway ? "off_session" : "on_session";
}

/** Payments of invoices, checkouts and the API. */
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

  endpoint("POST /v1/payment_intents", {
    amount: integer({ min: 1 }),
    capture_method: oneOf("automatic", "automatic_async", "manual").default("automatic_async"),
    confirm: boolean().default(false),
    confirmation_method: oneOf("automatic", "manual").optional(),
    currency: currency(),
    customer: text().optional(),
    description: text().optional(),
    mandate_data: anything().optional(),
    metadata: metadata().optional(),
    off_session: boolean().default(false),
    payment_method: text().optional(),
    payment_method_data: z.strictObject({ type: oneOf("customer_balance") }).optional(),
    payment_method_options: anything().optional(),
    return_url: url().optional(),
    setup_future_usage: oneOf("off_session", "on_session").optional(),
    shipping: shipping.optional(),
  }, (call) => {
    const { account, params } = call;
    const { customer = null } = params;
    if (customer !== null) account.customers.getReferenced(customer, "customer");
    const change = call.change.of({ customer });
    const intent = openStandalone(change, {
      amount: params.amount,
      captures: params.capture_method,
      currency: params.currency,
      customer,
      description: params.description ?? null,
      metadata: mergeMetadata({}, params.metadata),
      savesCard: params.setup_future_usage !== undefined,
      shipping: params.shipping ?? null,
    });
    const name = params.payment_method ?? (params.payment_method_data ? "pm_bank_transfer" : undefined);
    if (name === undefined) return intent;
    const method = methodInParam(change, name, "payment_method");
    if (params.confirm) return chargeStandalone(change, intent, { method, presence: presenceOf(params) });
    return account.paymentIntents.put({
      ...intent,
      payment_method: method.id,
      status: "requires_confirmation",
    });
  }),

  endpoint("POST /v1/payment_intents/:id", {
    amount: integer({ min: 1 }).optional(),
    description: text().optional(),
    metadata: metadata().optional(),
  }, ({ account, params, id }) => {
    const before = account.paymentIntents.get(id);
    return account.paymentIntents.put({
      ...before,
      ...params,
      metadata: mergeMetadata(before.metadata, params.metadata),
    });
  }),

  endpoint("POST /v1/payment_intents/:id/capture", {}, ({ account, change, id }) => {
    const intent = account.paymentIntents.get(id);
    return captureStandalone(change.of(intent), intent);
  }),

  endpoint("POST /v1/payment_intents/:id/cancel", {
    cancellation_reason: oneOf("abandoned", "duplicate", "fraudulent", "requested_by_customer").optional(),
  }, ({ account, change, params, id }) => {
    const intent = account.paymentIntents.get(id);
    return cancelStandalone(change.of(intent), intent, params.cancellation_reason ?? null);
  }),

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
    const terms = { method: methodInParam(change, name, "payment_method"), presence: presenceOf(params) };
    const isOfInvoice = account.invoicePayments.oldestFirst().some(({ payment }) =>
      payment.payment_intent === id
    );
    return isOfInvoice ? confirmIntent(change, intent, terms) : chargeStandalone(change, intent, terms);
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
