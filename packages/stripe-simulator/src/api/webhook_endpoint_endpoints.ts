import { knownVersions } from "../objects/api_versions.ts";
import { newWebhookEndpoint, type WebhookEndpoint } from "../objects/webhook_endpoint.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate } from "../wire/pagination.ts";
import { boolean, clearable, list, metadata, oneOf, pagination, text, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

export const webhookEndpointEndpoints = [
  endpoint("POST /v1/webhook_endpoints", {
    api_version: oneOf(...knownVersions).optional(),
    description: clearable(text()).optional(),
    enabled_events: list(text()),
    metadata: metadata().optional(),
    url: url(),
  }, ({ account, change, params }) => {
    return account.webhookEndpoints.put(newWebhookEndpoint(change.now, {
      ...params,
      api_version: params.api_version ?? null,
      description: params.description ?? null,
      metadata: mergeMetadata({}, params.metadata),
    }));
  }),

  endpoint("GET /v1/webhook_endpoints", pagination, ({ account, params }) => {
    return paginate(
      account.webhookEndpoints.newestFirst().map(withoutSecret),
      params,
      "/v1/webhook_endpoints",
    );
  }),

  endpoint(
    "GET /v1/webhook_endpoints/:id",
    {},
    ({ account, id }) => withoutSecret(account.webhookEndpoints.get(id)),
  ),

  endpoint("POST /v1/webhook_endpoints/:id", {
    description: clearable(text()).optional(),
    disabled: boolean().optional(),
    enabled_events: list(text()).optional(),
    metadata: metadata().optional(),
    url: url().optional(),
  }, ({ account, params, id }) => {
    const before = account.webhookEndpoints.get(id);
    const { disabled, ...fields } = params;
    return withoutSecret(account.webhookEndpoints.put({
      ...before,
      ...fields,
      metadata: mergeMetadata(before.metadata, params.metadata),
      status: disabled === undefined ? before.status : disabled ? "disabled" : "enabled",
    }));
  }),

  endpoint("DELETE /v1/webhook_endpoints/:id", {}, ({ account, id }) => {
    account.webhookEndpoints.get(id);
    account.webhookEndpoints.remove(id);
    return { id, object: "webhook_endpoint", deleted: true };
  }),
];

/** Only the reply to the creation shows the secret. */
function withoutSecret({ secret: _, former_secret: __, ...shown }: WebhookEndpoint) {
  return shown;
}
