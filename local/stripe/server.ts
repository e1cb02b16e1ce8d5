import { Account } from "./account/account.ts";
import { StateFile } from "./account/state_file.ts";
import { noCause, perform } from "./account/change.ts";
import { endpoints } from "./api/endpoints.ts";
import { expandables } from "./api/expandables.ts";
import { expireDueSessions } from "./behaviour/due.ts";
import { createControl } from "./control/control.ts";
import { Faults } from "./control/faults.ts";
import { RateLimit } from "./control/rate_limit.ts";
import { createPages } from "./pages/pages.tsx";
import { createApi } from "./protocol/api.ts";
import { Courier, defaultRetryDelays } from "./webhooks/courier.ts";

export interface StripeOptions {
  /** 0 picks a free port. */
  port?: number;
  /** Where the state is kept between runs; without it, it ends with the simulator. */
  state?: string;
  /** Receives what is worth a developer's attention: unknown requests, webhooks that fail. */
  log?: (line: string) => void;
  /** Waits before the second, third, … attempt of a webhook, in milliseconds. */
  retryDelays?: readonly number[];
  /** How long a webhook endpoint may take to answer, in milliseconds. */
  webhookTimeout?: number;
}

export interface RunningStripe {
  /** Without a slash at the end: `http://127.0.0.1:4103`. */
  url: string;
  host: string;
  port: number;
  account: Account;
  faults: Faults;
  /** Waits until every webhook is settled; false when that takes longer than `timeout` milliseconds. */
  idle(timeout?: number): Promise<boolean>;
  /** Finishes running requests, breaks off webhooks (they stay pending) and saves the state. */
  stop(): Promise<void>;
}

const host = "127.0.0.1";
const sweepEvery = 1_000;

/**
 * Starts a Stripe simulator on 127.0.0.1. Throws `Deno.errors.AddrInUse` when the port is taken and a `StateFileError`
 * when the state file cannot be read.
 */
export async function startStripe(options: StripeOptions = {}): Promise<RunningStripe> {
  const log = options.log ?? console.log;
  const account = new Account();
  const faults = new Faults();
  const rateLimit = new RateLimit();
  const stopping = new AbortController();
  const courier = new Courier(account, {
    faults,
    log,
    retryDelays: options.retryDelays ?? defaultRetryDelays,
    timeout: options.webhookTimeout ?? 10_000,
  });
  account.onEvent = (event, recipients) => courier.dispatch(event, recipients);
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
    stopping: stopping.signal,
  });
  const control = createControl({ account, courier, faults, rateLimit });
  const pages = createPages(account);
  const server = Deno.serve({ hostname: host, port: options.port ?? 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/v1/") || pathname.startsWith("/v2/")) return api(request);
    return pathname.startsWith("/_sim/") ? control(request) : pages(request);
  });
  account.origin = `http://${host}:${server.addr.port}`;
  courier.resume();
  const sweep = setInterval(() => perform(account, noCause, expireDueSessions), sweepEvery);

  return {
    url: account.origin,
    host,
    port: server.addr.port,
    account,
    faults,
    idle: (timeout = 10_000) => courier.idle(timeout),
    async stop() {
      clearInterval(sweep);
      stopping.abort();
      await server.shutdown();
      await courier.stop();
      await stateFile?.flush();
    },
  };
}
