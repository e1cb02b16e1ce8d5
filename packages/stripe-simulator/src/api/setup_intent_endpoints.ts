import { paginate } from "../wire/pagination.ts";
import { missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { boolean, metadata, oneOf, pagination, text, url } from "../wire/params.ts";
import { methodInParam } from "../behaviour/payments/card_attachment.ts";
import { cancelSetup, confirmSetup, openSetup } from "../behaviour/payments/setup.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/setup_intents";

/** Setup intents of checkouts in setup mode and of the API. */
export const setupIntentEndpoints = [
  endpoint(`GET ${path}`, { ...pagination, customer: text().optional() }, ({ account, params }) => {
    const { customer } = params;
    const found = account.setupIntents.newestFirst().filter((intent) =>
      !customer || intent.customer === customer
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.setupIntents.get(id)),

  endpoint(`POST ${path}`, {
    confirm: boolean().default(false),
    customer: text().optional(),
    description: text().optional(),
    metadata: metadata().optional(),
    payment_method: text().optional(),
    return_url: url().optional(),
    usage: oneOf("off_session", "on_session").optional(),
  }, (call) => {
    const { account, params } = call;
    const { customer = null, description = null, payment_method: name } = params;
    if (customer !== null) account.customers.getReferenced(customer, "customer");
    const change = call.change.of({ customer });
    const fields = { customer, description, metadata: mergeMetadata({}, params.metadata) };
    const intent = openSetup(change, fields);
    if (name === undefined) return intent;
    const method = methodInParam(change, name, "payment_method");
    if (params.confirm) return confirmSetup(change, intent, method);
    return account.setupIntents.put({
      ...intent,
      payment_method: method.id,
      status: "requires_confirmation",
    });
  }),

  endpoint(`POST ${path}/:id/confirm`, {
    payment_method: text().optional(),
    return_url: url().optional(),
  }, (call) => {
    const { account, params, id } = call;
    const intent = account.setupIntents.get(id);
    const change = call.change.of(intent);
    const name = params.payment_method ?? intent.payment_method;
    if (!name) throw missingParameter("payment_method");
    return confirmSetup(change, intent, methodInParam(change, name, "payment_method"));
  }),

  endpoint(`POST ${path}/:id/cancel`, {
    cancellation_reason: oneOf("abandoned", "duplicate", "requested_by_customer").optional(),
  }, ({ account, change, params, id }) => {
    const intent = account.setupIntents.get(id);
    return cancelSetup(change.of(intent), intent, params.cancellation_reason ?? null);
  }),
];
