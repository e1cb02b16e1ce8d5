import { z } from "zod";
import type { Account } from "../account/account.ts";
import { cardError, findTestCard } from "../behaviour/cards.ts";
import { attach } from "../behaviour/customers.ts";
import { newPaymentMethod, type PaymentMethod } from "../objects/payment_method.ts";
import { endpoint } from "../protocol/endpoint.ts";
import { invalidRequest, noSuch } from "../protocol/errors.ts";
import { paginate } from "../protocol/pagination.ts";
import { clearable, oneOf, pagination, text } from "../protocol/params.ts";

const billingDetails = z.strictObject({
  email: clearable(text()).default(null),
  name: clearable(text()).default(null),
});

export const paymentMethodEndpoints = [
  endpoint("POST /v1/payment_methods", {
    billing_details: billingDetails.optional(),
    card: z.strictObject({ token: text() }),
    type: oneOf("card"),
  }, ({ account, change, params }) => {
    const card = findTestCard(params.card.token);
    if (!card) throw noSuch("token", params.card.token, { param: "card[token]" });
    const payer = params.billing_details ?? { email: null, name: null };
    return account.paymentMethods.put(newPaymentMethod(change.now, { card, payer, customer: null }));
  }),

  endpoint(
    "GET /v1/payment_methods",
    { ...pagination, customer: text(), type: oneOf("card").optional() },
    (call) => {
      const { account, params } = call;
      account.customers.getReferenced(params.customer, "customer");
      return paginate(methodsOf(account, params.customer), params, "/v1/payment_methods");
    },
  ),

  endpoint("GET /v1/payment_methods/:id", {}, ({ account, id }) => account.paymentMethods.get(id)),

  endpoint("POST /v1/payment_methods/:id/attach", { customer: text() }, ({ account, change, params, id }) => {
    const customer = account.customers.getReferenced(params.customer, "customer");
    const card = findTestCard(id);
    const method = card
      ? newPaymentMethod(change.now, { card, payer: { email: null, name: null }, customer: null })
      : account.paymentMethods.get(id);
    if (method.customer && method.customer !== customer.id) {
      throw invalidRequest("The payment method you provided has already been attached to a customer.");
    }
    const decline = (card ?? cardOf(method)).attach;
    if (decline) throw cardError(decline);
    return attach(change, method, customer);
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
    { ...pagination, type: oneOf("card").optional() },
    (call) => {
      const { account, params, id } = call;
      account.customers.get(id);
      return paginate(methodsOf(account, id), params, `/v1/customers/${id}/payment_methods`);
    },
  ),
];

function methodsOf(account: Account, customer: string): PaymentMethod[] {
  return account.paymentMethods.newestFirst().filter((method) => method.customer === customer);
}

function cardOf(method: PaymentMethod) {
  const card = findTestCard(method.card?.fingerprint?.replace("sim", "") ?? "");
  if (!card) throw new Error(`${method.id} is no test card`);
  return card;
}
