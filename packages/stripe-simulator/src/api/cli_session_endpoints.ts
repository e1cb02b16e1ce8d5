import { newCliDevice, newCliSession } from "../objects/cli_session.ts";
import { accountId, apiVersion } from "../objects/stored_object.ts";
import { clearable, list, oneOf, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

/** A URL that can be empty. */
const address = clearable(text()).optional();

/** `stripe listen` creates a session here before it opens its web socket. */
export const cliSessionEndpoints = [
  endpoint("POST /v1/stripecli/sessions", {
    device_name: text(),
    filters: text().optional(),
    forward_connect_to_url: address,
    forward_thin_connect_to_url: address,
    forward_thin_to_url: address,
    forward_to_url: address,
    websocket_features: list(oneOf("request_logs", "v2_events", "webhooks")),
  }, ({ account, params }) => {
    const { device_name: name } = params;
    const device = account.cliDevices.find(name) ?? account.cliDevices.put(newCliDevice(name));
    const session = account.cliSessions.put(newCliSession(device.id, params.websocket_features));
    return {
      object: "stripecli.session",
      default_version: apiVersion,
      display_connect_filter_warning: false,
      latest_version: apiVersion,
      reconnect_delay: 20,
      secret: device.secret,
      websocket_authorized_feature: params.websocket_features.join(","),
      websocket_id: session.id,
      websocket_url: `${account.origin.replace(/^http/, "ws")}/subscribe/${accountId}`,
    };
  }),
];
