import { Account } from "../account/account.ts";
import { replaceState, type State } from "../account/saved_state.ts";
import { StateFile } from "../account/state_file.ts";
import { endpoints } from "../api/all_endpoints.ts";
import { createApi } from "../api/api_handler.ts";
import { expandables } from "../api/expandables.ts";
import { RateLimit } from "../api/rate_limit.ts";
import { createControl } from "../control/control_handler.ts";
import { Faults } from "../faults/faults.ts";
import { createPages } from "../pages/page_handler.tsx";
import { Timekeeper } from "../time/timekeeper.ts";
import { CliListeners } from "../webhooks/cli_listeners.ts";
import { defaultRetryDelays, WebhookDispatcher } from "../webhooks/webhook_dispatcher.ts";

export interface SimulatorOptions {
  /** 0, the default, chooses a free port. */
  port?: number;
  /** The file in which the state is saved. Without it, the state is lost at the end. */
  state?: string;
  /** Receives messages for developers, such as unknown requests and failed webhooks. Defaults to `console.log`. */
  log?: (line: string) => void;
  /** Returns the time in whole Unix seconds. Defaults to the machine's time. */
  now?: () => number;
  /** Delays before the second, third, … attempt of a webhook, in milliseconds. */
  retryDelays?: readonly number[];
  /** How long a webhook endpoint can take to respond, in milliseconds. */
  webhookTimeout?: number;
}

export interface RunningSimulator {
  /** The origin, without a slash at the end: `http://127.0.0.1:4103`. */
  url: string;
  host: string;
  port: number;
  account: Account;
  faults: Faults;
  /**
   * Waits until no test clock advances and no delivery is pending. False when that takes longer than `timeout`
   * milliseconds.
   */
  idle(timeout?: number): Promise<boolean>;
  /** Finishes running requests, aborts deliveries (they stay pending) and saves the state. */
  stop(): Promise<void>;
}

const host = "127.0.0.1";

/**
 * Starts a simulator on 127.0.0.1. Throws `Deno.errors.AddrInUse` when the port is in use and a `StateFileError` when
 * the state file cannot be read.
 */
export async function serveSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const log = options.log ?? console.log;
  const account = new Account(options.now);
  const faults = new Faults();
  const rateLimit = new RateLimit();
  const stopping = new AbortController();
  const dispatcher = new WebhookDispatcher(account, {
    faults,
    log,
    retryDelays: options.retryDelays ?? defaultRetryDelays,
    timeout: options.webhookTimeout ?? 10_000,
  });
  const listeners = new CliListeners(account);
  account.onEvent = (event, recipients) => {
    dispatcher.dispatch(event, recipients);
    listeners.send(event);
  };
  account.wantsThinEvents = () => listeners.wantThinEvents();
  account.onResend = (event, recipients) => {
    for (const recipient of recipients) dispatcher.resend(event.id, recipient);
    if (recipients.length === 0) listeners.send(event);
  };
  const stateFile = options.state === undefined ? undefined : new StateFile(options.state, account);
  await stateFile?.load();
  account.onChange = () => stateFile?.saveSoon();

  const api = createApi({
    account,
    endpoints,
    expandables: expandables(account),
    faults,
    rateLimit,
    log,
    onReply({ id, method, path }, { status, body }) {
      listeners.sendLog({
        created_at: account.now(),
        error: status < 400 ? {} : JSON.parse(body).error,
        livemode: false,
        method,
        request_id: id,
        status,
        url: path,
      });
    },
    stopping: stopping.signal,
  });
  const idle = async (timeout = 10_000) => await timekeeper.idle(timeout) && await dispatcher.idle(timeout);
  const replaceAll = async (state: State) => {
    await timekeeper.stop();
    replaceState(account, state);
    timekeeper = new Timekeeper(account, log);
    dispatcher.resume();
  };
  const control = createControl({ account, dispatcher, faults, idle, rateLimit, replaceState: replaceAll });
  const pages = createPages(account);
  const server = Deno.serve({ hostname: host, port: options.port ?? 0, onListen: () => {} }, (request) => {
    timekeeper.runDueTasks();
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/v1/") || pathname.startsWith("/v2/")) return api(request);
    if (pathname.startsWith("/subscribe/")) return listeners.connect(request);
    return pathname.startsWith("/_sim/") ? control(request) : pages(request);
  });
  account.origin = `http://${host}:${server.addr.port}`;
  let timekeeper = new Timekeeper(account, log);
  dispatcher.resume();

  return {
    url: account.origin,
    host,
    port: server.addr.port,
    account,
    faults,
    idle,
    async stop() {
      stopping.abort();
      listeners.close();
      await server.shutdown();
      await timekeeper.stop();
      await dispatcher.stop();
      await stateFile?.flush();
    },
  };
}
