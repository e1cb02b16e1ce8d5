import type { Account } from "../account/account.ts";
import type { CliSession } from "../objects/cli_session.ts";
import type { Event } from "../objects/event.ts";
import { newId } from "../objects/ids.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import { serializeSnapshot, serializeThin } from "./delivery_request.ts";
import { webhookHeaders } from "./send_delivery.ts";

/** What `stripe logs tail` prints of a request. */
export interface RequestLog {
  created_at: number;
  error: object;
  livemode: false;
  method: string;
  request_id: string;
  status: number;
  url: string;
}

const protocol = "stripecli-devproxy-v1";

/**
 * The web sockets of `stripe listen`. Each gets every event, signed with its device's secret. The CLI chooses which
 * events it forwards, and forwards the body unchanged.
 */
export class CliListeners {
  readonly #account: Account;
  readonly #sockets = new Map<WebSocket, CliSession>();

  constructor(account: Account) {
    this.#account = account;
  }

  /** `GET /subscribe/…`: upgrades the request to a session's web socket. 401 for an unknown session. */
  connect(request: Request): Response {
    const session = this.#account.cliSessions.find(request.headers.get("websocket-id") ?? "");
    if (!session) return new Response("Unknown websocket id", { status: 401 });
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol });
    socket.onopen = () => this.#sockets.set(socket, session);
    socket.onclose = () => this.#sockets.delete(socket);
    return response;
  }

  /** True when a listener wants thin events. It gets all of them. */
  wantThinEvents(): boolean {
    return [...this.#sockets.values()].some(({ features }) => features.includes("v2_events"));
  }

  /** Sends an event to the open sockets that listen to its kind. */
  send(event: Event | ThinEvent) {
    const feature = event.object === "event" ? "webhooks" : "v2_events";
    for (const [socket, { device, features }] of this.#sockets) {
      if (socket.readyState !== WebSocket.OPEN || !features.includes(feature)) continue;
      socket.send(JSON.stringify(frameOf(event, this.#account.cliDevices.get(device).secret)));
    }
  }

  /** Sends the log of an answered request to the sockets of `stripe logs tail`, which filters it. */
  sendLog(log: RequestLog) {
    for (const [socket, { features }] of this.#sockets) {
      if (socket.readyState !== WebSocket.OPEN || !features.includes("request_logs")) continue;
      socket.send(JSON.stringify({
        type: "request_log_event",
        request_log_id: log.request_id,
        event_payload: JSON.stringify(log),
      }));
    }
  }

  /** Closes all sockets. The CLI reconnects. */
  close() {
    for (const socket of this.#sockets.keys()) socket.close(1001);
    this.#sockets.clear();
  }
}

function frameOf(event: Event | ThinEvent, secret: string): object {
  if (event.object === "v2.core.event") {
    const payload = serializeThin(event);
    return {
      type: "v2_event",
      payload,
      http_headers: headersFor(payload, secret),
      destination_id: newId("ed_test"),
    };
  }
  const payload = serializeSnapshot(event, event.api_version);
  return {
    type: "webhook_event",
    webhook_id: newId("wh"),
    webhook_conversation_id: newId("wc"),
    event_payload: payload,
    endpoint: { api_version: null },
    http_headers: headersFor(payload, secret),
  };
}

/** Headers in the usual capitalization, because the CLI forwards them unchanged. */
function headersFor(payload: string, secret: string): Record<string, string> {
  const named = Object.entries(webhookHeaders(payload, [secret])).map(([name, value]) => [
    name.replace(/(^|-)[a-z]/g, (initial) => initial.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(named);
}
