import { z } from "zod";
import type { Account } from "../account/account.ts";
import { attach, methodInPath } from "../behaviour/payments/card_attachment.ts";
import { newPaymentMethod, type PaymentMethod } from "../objects/payment_method.ts";
import { findTestCard, type TestCard } from "../objects/test_card.ts";
import { invalidRequest, missingParameter, noSuch } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate } from "../wire/pagination.ts";
import { clearable, integer, metadata, oneOf, pagination, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";
import { address } from "./shared_params.ts";

const billingDetails = z.strictObject({
  address: clearable(address).optional(),
  email: clearable(text()).optional(),
  name: clearable(text()).optional(),
  phone: clearable(text()).optional(),
});

const expiry = { month: integer({ min: 1, max: 12 }), year: integer({ min: 2000, max: 2100 }) };

const methodType = oneOf("card", "customer_balance", "sepa_debit");

export const paymentMethodEndpoints = [
  endpoint("POST /v1/payment_methods", {
    billing_details: billingDetails.optional(),
    card: z.strictObject({ token: text() }).optional(),
    metadata: metadata().optional(),
    sepa_debit: z.strictObject({ iban: text() }).optional(),
    type: methodType,
  }, ({ account, change, params }) => {
    const card = methodFrom(params);
    const payer = { email: null, name: null, ...params.billing_details };
    const method = newPaymentMethod(change.now, { card, payer, customer: null });
    return account.paymentMethods.put({ ...method, metadata: mergeMetadata({}, params.metadata) });
  }),

  endpoint(
    "GET /v1/payment_methods",
    { ...pagination, customer: text().optional(), type: methodType.optional() },
    ({ account, params: { type, ...params } }) => {
      return paginate(methodsOf(account, { customer: params.customer, type }), params, "/v1/payment_methods");
    },
  ),

  endpoint("GET /v1/payment_methods/:id", {}, ({ account, id }) => account.paymentMethods.get(id)),

  endpoint("POST /v1/payment_methods/:id", {
    billing_details: billingDetails.optional(),
    card: z.strictObject({ exp_month: expiry.month.optional(), exp_year: expiry.year.optional() }).optional(),
    metadata: metadata().optional(),
  }, ({ account, change, params, id }) => {
    const before = account.paymentMethods.get(id);
    const after = account.paymentMethods.put({
      ...before,
      billing_details: { ...before.billing_details, ...params.billing_details },
      card: before.card && { ...before.card, ...params.card },
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.emit("payment_method.updated", after, before);
    return after;
  }),

  endpoint("POST /v1/payment_methods/:id/attach", { customer: text() }, (call) => {
    const { account, params, id } = call;
    const customer = account.customers.getReferenced(params.customer, "customer");
    const change = call.change.of(customer);
    return attach(change, methodInPath(change, id), customer);
  }),

  endpoint("POST /v1/payment_methods/:id/detach", {}, ({ account, change, id }) => {
    const before = account.paymentMethods.get(id);
    if (!before.customer) {
      throw invalidRequest(
        "The payment method you provided is not attached to a customer so detachment is impossible.",
      );
    }
    const detached = account.paymentMethods.put({ ...before, customer: null });
    change.emit("payment_method.detached", detached, before);
    return detached;
  }),

  endpoint(
    "GET /v1/customers/:id/payment_methods",
    { ...pagination, type: methodType.optional() },
    ({ account, params: { type, ...params }, id }) => {
      account.customers.get(id);
      return paginate(
        methodsOf(account, { customer: id, type }),
        params,
        `/v1/customers/${id}/payment_methods`,
      );
    },
  ),
];

/** The test card, bank account or transfer that the parameters name. */
function methodFrom(
  { card, sepa_debit: debit, type }: {
    card?: { token: string };
    sepa_debit?: { iban: string };
    type: string;
  },
): TestCard {
  if (type === "customer_balance") return findTestCard("bank_transfer") as TestCard;
  const [name, param] = type === "card" ? [card?.token, "card[token]"] : [debit?.iban, "sepa_debit[iban]"];
  if (name === undefined) throw missingParameter(param);
  const found = findTestCard(name);
  if (found && (found.type ?? "card") === type) return found;
  if (type === "card") throw noSuch("token", name, { param });
  throw invalidRequest("The IBAN you provided is not one of Stripe's test accounts.", { param });
}

/** The attached payment methods, of one customer or of all. */
function methodsOf(account: Account, wanted: { customer?: string; type?: string }): PaymentMethod[] {
  return account.paymentMethods.newestFirst().filter((method) =>
    (wanted.customer === undefined ? method.customer !== null : method.customer === wanted.customer) &&
    (wanted.type === undefined || method.type === wanted.type)
  );
}
