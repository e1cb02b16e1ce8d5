import { endpoint } from "../protocol/endpoint.ts";
import { paginate } from "../protocol/pagination.ts";
import { pagination, text } from "../protocol/params.ts";

const path = "/v1/setup_intents";

/** Setup intents come into being by saving a card in a checkout; here they can be read. */
export const setupIntentEndpoints = [
  endpoint(`GET ${path}`, { ...pagination, customer: text().optional() }, ({ account, params }) => {
    const { customer } = params;
    const found = account.setupIntents.newestFirst().filter((intent) =>
      !customer || intent.customer === customer
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.setupIntents.get(id)),
];
