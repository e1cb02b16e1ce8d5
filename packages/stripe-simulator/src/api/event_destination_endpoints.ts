import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { knownVersions } from "../objects/api_versions.ts";
import { type EventDestination, newEventDestination, pingType } from "../objects/event_destination.ts";
import { isoTime } from "../objects/stored_object.ts";
import { newThinEvent, relate } from "../objects/thin_event.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginateV2, paginationV2 } from "../wire/pagination_v2.ts";
import { clearable, list, metadata, oneOf, text, url } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v2/core/event_destinations";

const include = list(oneOf("webhook_endpoint.signing_secret", "webhook_endpoint.url")).default([]);
const webhookEndpoint = z.strictObject({ url: url() });

const fields = {
  description: clearable(text()).optional(),
  enabled_events: list(text()),
  include,
  metadata: metadata().optional(),
  name: text(),
  webhook_endpoint: webhookEndpoint,
};

export const eventDestinationEndpoints = [
  endpoint(`POST ${path}`, {
    ...fields,
    event_payload: oneOf("snapshot", "thin"),
    events_from: list(oneOf("@self")).optional(),
    snapshot_api_version: oneOf(...knownVersions).optional(),
    type: oneOf("webhook_endpoint"),
  }, ({ account, change, params }) => {
    const { event_payload, snapshot_api_version: version } = params;
    checkEvents(event_payload, params.enabled_events);
    if (event_payload === "thin" && version !== undefined) {
      throw invalidRequest("Thin events have no `snapshot_api_version`.", { param: "snapshot_api_version" });
    }
    if (event_payload === "snapshot" && version === undefined) throw missingParameter("snapshot_api_version");
    const destination = account.eventDestinations.put(newEventDestination(change.now, {
      description: params.description ?? "",
      enabled_events: params.enabled_events,
      event_payload,
      metadata: mergeMetadata({}, params.metadata),
      name: params.name,
      snapshotApiVersion: version ?? null,
      url: params.webhook_endpoint.url,
    }));
    return shown(destination, params.include);
  }),

  endpoint(`GET ${path}`, { ...paginationV2, include }, ({ account, params }) => {
    const destinations = account.eventDestinations.newestFirst();
    return paginateV2(destinations.map((one) => shown(one, withoutSecret(params.include))), params, path);
  }),

  endpoint(`GET ${path}/:id`, { include }, ({ account, params, id }) => {
    return shown(account.eventDestinations.get(id), withoutSecret(params.include));
  }),

  endpoint(`POST ${path}/:id`, {
    description: fields.description,
    enabled_events: fields.enabled_events.optional(),
    include,
    metadata: fields.metadata,
    name: fields.name.optional(),
    webhook_endpoint: webhookEndpoint.optional(),
  }, ({ account, change, params, id }) => {
    const before = account.eventDestinations.get(id);
    const { enabled_events = before.enabled_events, name = before.name } = params;
    checkEvents(before.event_payload, enabled_events);
    const after = account.eventDestinations.put({
      ...before,
      description: params.description === undefined ? before.description : params.description ?? "",
      enabled_events,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      name,
      updated: isoTime(change.now),
      webhook_endpoint: { ...before.webhook_endpoint, ...params.webhook_endpoint },
    });
    return shown(after, withoutSecret(params.include));
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, id }) => {
    account.eventDestinations.get(id);
    account.eventDestinations.remove(id);
    return { id, object: "v2.core.event_destination" };
  }),

  endpoint(`POST ${path}/:id/disable`, {}, ({ account, change, id }) => {
    return setStatus(change, account.eventDestinations.get(id), "disabled");
  }),

  endpoint(`POST ${path}/:id/enable`, {}, ({ account, change, id }) => {
    return setStatus(change, account.eventDestinations.get(id), "enabled");
  }),

  endpoint(`POST ${path}/:id/ping`, {}, ({ account, change, id }) => ping(change, account, id)),
];

/** Emits an event that goes only to this destination. */
function ping(change: Change, account: Account, id: string) {
  const event = newThinEvent(change.now, pingType, {
    related: relate(account.eventDestinations.get(id)),
  });
  change.thinEvents.push(event);
  return event;
}

function setStatus({ account, now }: Change, before: EventDestination, status: EventDestination["status"]) {
  const { status_details: _, ...kept } = before;
  return shown(
    account.eventDestinations.put({
      ...kept,
      status,
      ...(status === "disabled" ? { status_details: { disabled: { reason: "user" } } } : {}),
      updated: isoTime(now),
    }),
    [],
  );
}

/**
 * Thin event types have a version prefix and must be listed one by one. Snapshot events have the v1 names, or `*` for
 * all.
 */
function checkEvents(payload: EventDestination["event_payload"], types: string[]) {
  const isThin = (type: string) => /^v\d+\./.test(type);
  const wrong = types.find((type) => payload === "thin" ? !isThin(type) : isThin(type));
  if (wrong === undefined) return;
  throw invalidRequest(`${wrong} is not the type of a ${payload} event.`, { param: "enabled_events" });
}

type Include = z.output<typeof include>;

/** Only the reply to the creation shows the secret. */
function withoutSecret(include: Include): Include {
  return include.filter((field) => field !== "webhook_endpoint.signing_secret");
}

/** The destination as a reply shows it: with URL and secret only when they are included. */
function shown({ webhook_endpoint: endpoint, ...destination }: EventDestination, include: Include) {
  const webhook_endpoint = {
    ...(include.includes("webhook_endpoint.signing_secret")
      ? { signing_secret: endpoint.signing_secret }
      : {}),
    ...(include.includes("webhook_endpoint.url") ? { url: endpoint.url } : {}),
  };
  return { ...destination, ...(Object.keys(webhook_endpoint).length > 0 ? { webhook_endpoint } : {}) };
}
