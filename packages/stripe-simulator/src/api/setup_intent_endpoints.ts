import { paginate } from "../wire/pagination.ts";
import { pagination, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/setup_intents";

/** Setup intents are created by checkouts in setup mode. Here they can be read. */
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
