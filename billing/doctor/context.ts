/** What the checks of `deno task doctor` work with. */
import type Stripe from "stripe";
import { inspectEnvironment, type VariableFault, type Variables } from "../config.ts";
import { connectDatabase } from "../db/database.ts";
import { openPool, type Pool } from "../db/sql.ts";
import { connectStripe } from "../stripe.ts";

/** Everything a check may use. What the environment does not name is undefined. */
export interface DoctorContext extends AsyncDisposable {
  /** The environment as it is. */
  env: Record<string, string | undefined>;
  /** The variables that are set and of the expected form. */
  values: Variables;
  faults: VariableFault[];
  stripe?: Stripe;
  /** The database as role postgres. */
  operator?: Pool;
  /** The database as role billing_service, as the server connects. */
  service?: Pool;
  /** The webhook's addresses at which this project can receive: the edge function's first, then the server's. */
  webhookUrls: string[];
  options: DoctorOptions;
}

export interface DoctorOptions {
  /** Whether Stripe is asked to send a test event. Default: in test mode only. */
  delivery?: boolean;
  /** How long a test event of Stripe's is waited for, in milliseconds. */
  deliveryMs: number;
  /** How long one answer is waited for, in milliseconds. */
  answerMs: number;
  /** This machine's clock, in milliseconds. */
  now: () => number;
  /** Instead of the project's `plans.toml`. */
  plansFile?: string;
}

const defaults: DoctorOptions = { deliveryMs: 10_000, answerMs: 6_000, now: Date.now };

/** Reads the environment, without connecting to anything yet. Disposing closes the connections. */
export function doctorContext(
  env: Record<string, string | undefined>,
  options: Partial<DoctorOptions> = {},
): DoctorContext {
  const { values, faults } = inspectEnvironment(env);
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase, SUPABASE_URL, PLUGIN_URL } = values;
  const serviceUrl = values.BILLING_DB_URL ?? values.SUPABASE_DB_URL;
  const operator = values.OPERATOR_DB_URL ? openPool(values.OPERATOR_DB_URL, { max: 3 }) : undefined;
  const service = serviceUrl ? connectDatabase(serviceUrl, { max: 2 }) : undefined;
  return {
    env,
    values,
    faults,
    stripe: secretKey ? connectStripe({ secretKey, apiBase }) : undefined,
    operator,
    service,
    webhookUrls: [
      ...(SUPABASE_URL && SUPABASE_URL !== PLUGIN_URL ? [`${SUPABASE_URL}/functions/v1/stripe-webhook`] : []),
      ...(PLUGIN_URL ? [`${PLUGIN_URL}/api/webhooks/stripe`] : []),
    ],
    options: { ...defaults, ...options },
    async [Symbol.asyncDispose]() {
      await Promise.all([operator?.close(), service?.close()]);
    },
  };
}

/** An answer of a web server, read to its end. `json` is undefined when the body is none. */
export interface Answer {
  status: number;
  header(name: string): string | null;
  text: string;
  // deno-lint-ignore no-explicit-any -- whatever another server answers
  json: any;
}

/** Asks a web server. Resolves to a sentence of what went wrong when there is no answer. */
export async function ask(
  { options }: DoctorContext,
  url: string,
  request: { method?: string; headers?: Record<string, string>; body?: string; redirect?: "manual" } = {},
): Promise<Answer | { fault: string }> {
  try {
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(options.answerMs) });
    const text = await answer.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: answer.status, header: (name) => answer.headers.get(name), text, json };
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") {
      return { fault: `did not answer within ${options.answerMs / 1000} seconds` };
    }
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return {
      fault: `cannot be reached (${
        why.replace(/^error sending request for url \(\S+\): /, "").slice(0, 160)
      })`,
    };
  }
}

/** Whether an address is one of this machine. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(hostname) || hostname.endsWith(".localhost");
}
