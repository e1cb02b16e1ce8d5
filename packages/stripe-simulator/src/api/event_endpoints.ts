import { invalidRequest } from "../wire/errors.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { boolean, list, pagination, text, timeFilter } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

export const eventEndpoints = [
  endpoint("GET /v1/events", {
    ...pagination,
    created: timeFilter().optional(),
    delivery_success: boolean().optional(),
    type: text().optional(),
    types: list(text()).optional(),
  }, ({ account, params }) => {
    if ((params.types?.length ?? 0) > 20) {
      throw invalidRequest("You may only specify up to 20 types.", { param: "types" });
    }
    const found = account.events.newestFirst().filter((event) =>
      (params.delivery_success === undefined || (event.pending_webhooks === 0) === params.delivery_success) &&
      (params.type === undefined || isOfType(event.type, params.type)) &&
      (params.types === undefined || params.types.some((type) => isOfType(event.type, type))) &&
      passes(event.created, params.created)
    );
    return paginate(found, params, "/v1/events");
  }),

  endpoint("GET /v1/events/:id", {}, ({ account, id }) => account.events.get(id)),

  // Not in the public API. `stripe events resend` uses it.
  endpoint("POST /v1/events/:id/retry", {
    for_stripecli: boolean().optional(),
    webhook_endpoint: text().optional(),
  }, ({ account, params, id }) => {
    const { webhook_endpoint: endpoint } = params;
    if (endpoint) account.webhookEndpoints.getReferenced(endpoint, "webhook_endpoint");
    const event = account.events.get(id);
    account.onResend(event, endpoint ? [endpoint] : []);
    return event;
  }),
];

/** A filter can end in a wildcard: `invoice.*`. */
function isOfType(type: string, filter: string): boolean {
  return filter.endsWith("*") ? type.startsWith(filter.slice(0, -1)) : type === filter;
}
