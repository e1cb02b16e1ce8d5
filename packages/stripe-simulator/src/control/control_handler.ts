import { z } from "zod";
import type { Account } from "../account/account.ts";
import { checkoutCause, noCause, perform } from "../account/change.ts";
import { readState, type State, stateSchema } from "../account/saved_state.ts";
import type { RateLimit } from "../api/rate_limit.ts";
import { payCheckout } from "../behaviour/checkout/checkout_payment.ts";
import { authenticate } from "../behaviour/payments/payment_confirmation.ts";
import { settle } from "../behaviour/payments/settlement.ts";
import { closeDispute, disputeCharge } from "../behaviour/refunds/disputes.ts";
import { type Faults, faultSchema } from "../faults/faults.ts";
import { knownVersions } from "../objects/api_versions.ts";
import { billingSettingsSchema } from "../objects/billing_settings.ts";
import { findTestCard } from "../objects/test_card.ts";
import { withNewSecret } from "../objects/webhook_endpoint.ts";
import type { WebhookDispatcher } from "../webhooks/webhook_dispatcher.ts";
import { invalidRequest, StripeError } from "../wire/errors.ts";

export interface ControlParts {
  account: Account;
  dispatcher: WebhookDispatcher;
  faults: Faults;
  /**
   * Waits until no clock advances and no delivery is pending. False when that takes longer than `timeout`
   * milliseconds.
   */
  idle: (timeout: number) => Promise<boolean>;
  rateLimit: RateLimit;
  /** Replaces the account's whole state. */
  replaceState: (state: State) => Promise<void>;
}

const paySchema = z.strictObject({
  authentication: z.enum(["passed", "failed"]).default("passed"),
  /** A test card, or `none` when nothing is due and the session does not require one. */
  card: z.string().default("4242424242424242"),
  address: z.strictObject({
    city: z.string().nullable().default(null),
    country: z.string().length(2),
    line1: z.string().nullable().default(null),
    line2: z.string().nullable().default(null),
    postal_code: z.string().nullable().default(null),
    state: z.string().nullable().default(null),
  }).optional(),
  business_name: z.string().optional(),
  currency: z.string().optional(),
  promotion_code: z.string().optional(),
  tax_id: z.strictObject({ type: z.string(), value: z.string() }).optional(),
  email: z.string().nullable().default(null),
  name: z.string().nullable().default(null),
});
const authenticationSchema = z.strictObject({ outcome: z.enum(["passed", "failed"]).default("passed") });
const settlementSchema = z.strictObject({ outcome: z.enum(["failed", "succeeded"]).optional() });
const disputeSchema = z.strictObject({ reason: z.string().default("fraudulent") });
const closeDisputeSchema = z.strictObject({ status: z.enum(["lost", "won"]) });
const rateLimitSchema = z.strictObject({ per_second: z.int().min(0).nullable() });
const versionSchema = z.strictObject({ api_version: z.enum(knownVersions) });
const permissionsSchema = z.strictObject({ permissions: z.array(z.string().regex(/^\w+_(read|write)$/)) });
const liveObjectSchema = z.strictObject({ id: z.string().min(1) });
const webhookSettingsSchema = z.strictObject({
  retry_delays_ms: z.array(z.int().min(0).max(2 ** 31 - 1)).max(100).optional(),
  timeout_ms: z.int().min(1).max(600_000).optional(),
});
const advanceSchema = z.strictObject({ seconds: z.number().min(0) });
const rollSchema = z.strictObject({ expires_in: z.int().min(0).max(86_400).default(86_400) });
const defaultIdleTimeout = 10_000;

type Action = (request: Request, id: string) => Promise<Response> | Response;

/**
 * Creates the handler of `/_sim/*`, with which tests and tools control the simulator. Requests and replies are JSON,
 * errors have Stripe's format.
 */
export function createControl(
  { account, dispatcher, faults, idle, rateLimit, replaceState }: ControlParts,
): (request: Request) => Promise<Response> {
  const actions: [method: string, pattern: URLPattern, action: Action][] = [
    ["GET", route("/_sim/health"), () => Response.json({ ok: true })],
    ["GET", route("/_sim/idle"), (request) => answerWhenIdle(idle, request)],
    ["GET", route("/_sim/state"), () => Response.json(readState(account))],
    ["PUT", route("/_sim/state"), async (request) => {
      await replaceState(await readJson(request, stateSchema));
      return Response.json({});
    }],
    ["GET", route("/_sim/faults"), () => Response.json(faults.list())],
    ["POST", route("/_sim/faults"), async (request) => {
      faults.add(await readJson(request, faultSchema));
      return Response.json(faults.list());
    }],
    ["DELETE", route("/_sim/faults"), () => {
      faults.clear();
      return Response.json([]);
    }],
    ["GET", route("/_sim/settings"), () => Response.json(account.billingSettings)],
    ["PUT", route("/_sim/settings"), async (request) => {
      const wanted = await readJson(request, billingSettingsSchema.partial());
      account.settings.put({ id: "billing", ...account.billingSettings, ...wanted });
      return Response.json(account.billingSettings);
    }],
    ["GET", route("/_sim/api_version"), () => Response.json({ api_version: account.defaultVersion })],
    ["PUT", route("/_sim/api_version"), async (request) => {
      const { api_version: version } = await readJson(request, versionSchema);
      account.defaultVersion = version;
      return Response.json({ api_version: version });
    }],
    ["PUT", route("/_sim/restricted_keys/:id"), async (request, id) => {
      const { permissions } = await readJson(request, permissionsSchema);
      return Response.json(account.restrictedKeys.put({ id, permissions }));
    }],
    ["DELETE", route("/_sim/restricted_keys/:id"), (_, id) => {
      account.restrictedKeys.remove(id);
      return Response.json({});
    }],
    ["POST", route("/_sim/live_objects"), async (request) => {
      return Response.json(account.liveObjects.put(await readJson(request, liveObjectSchema)));
    }],
    ["GET", route("/_sim/rate_limit"), () => Response.json({ per_second: rateLimit.perSecond })],
    ["PUT", route("/_sim/rate_limit"), async (request) => {
      const { per_second: perSecond } = await readJson(request, rateLimitSchema);
      rateLimit.set(perSecond);
      return Response.json({ per_second: perSecond });
    }],
    ["GET", route("/_sim/webhooks"), () => Response.json(webhookSettings(dispatcher))],
    ["PUT", route("/_sim/webhooks"), async (request) => {
      const { retry_delays_ms, timeout_ms } = await readJson(request, webhookSettingsSchema);
      const { retryDelays, timeout } = dispatcher.options;
      dispatcher.configure({ retryDelays: retry_delays_ms ?? retryDelays, timeout: timeout_ms ?? timeout });
      return Response.json(webhookSettings(dispatcher));
    }],
    ["POST", route("/_sim/webhooks/advance"), async (request) => {
      dispatcher.advance((await readJson(request, advanceSchema)).seconds * 1000);
      return Response.json({});
    }],
    ["POST", route("/_sim/webhook_endpoints/:id/roll_secret"), async (request, id) => {
      const { expires_in: overlap } = await readJson(request, rollSchema);
      const endpoint = account.webhookEndpoints.get(id);
      return Response.json(
        account.webhookEndpoints.put(withNewSecret(endpoint, account.now(), overlap)),
      );
    }],
    ["GET", route("/_sim/webhook_endpoints"), () => Response.json(account.webhookEndpoints.oldestFirst())],
    ["POST", route("/_sim/payment_intents/:id/authenticate"), async (request, id) => {
      const { outcome } = await readJson(request, authenticationSchema);
      const intent = account.paymentIntents.get(id);
      return Response.json(
        perform(account, noCause, (change) => authenticate(change.of(intent), intent, outcome)),
      );
    }],
    ["POST", route("/_sim/payment_intents/:id/settle"), async (request, id) => {
      const { outcome } = await readJson(request, settlementSchema);
      const pending = account.pendingPayments.get(id);
      return Response.json(
        perform(account, noCause, (change) => settle(change.of(pending), pending, outcome)),
      );
    }],
    ["POST", route("/_sim/charges/:id/dispute"), async (request, id) => {
      const { reason } = await readJson(request, disputeSchema);
      const charge = account.charges.get(id);
      return Response.json(
        perform(account, noCause, (change) => disputeCharge(change.of(charge), charge, reason)),
      );
    }],
    ["POST", route("/_sim/disputes/:id/close"), async (request, id) => {
      const { status } = await readJson(request, closeDisputeSchema);
      const dispute = account.disputes.get(id);
      const charge = account.charges.get(dispute.charge);
      return Response.json(
        perform(account, noCause, (change) => closeDispute(change.of(charge), dispute, status)),
      );
    }],
    ["POST", route("/_sim/checkout/:id/pay"), (request, id) => pay(account, request, id)],
    ["POST", route("/_sim/checkout/:id/cancel"), (_, id) => {
      return Response.json({ url: account.checkoutSessions.get(id).cancel_url });
    }],
  ];

  return async (request) => {
    try {
      for (const [method, pattern, action] of actions) {
        const match = request.method === method ? pattern.exec(request.url) : null;
        if (match) return await action(request, match.pathname.groups.id ?? "");
      }
      throw new StripeError(
        404,
        "invalid_request_error",
        `No such control: ${request.method} ${request.url}`,
      );
    } catch (error) {
      if (error instanceof StripeError) return Response.json(error.toBody(), { status: error.status });
      throw error;
    }
  };
}

function webhookSettings({ options: { retryDelays, timeout } }: WebhookDispatcher) {
  return { retry_delays_ms: retryDelays, timeout_ms: timeout };
}

function route(pathname: string): URLPattern {
  return new URLPattern({ pathname });
}

/** Answers when no clock advances and no delivery is pending, or with 503 after `timeout_ms`. */
async function answerWhenIdle(idle: ControlParts["idle"], request: Request): Promise<Response> {
  const timeout = Number(new URL(request.url).searchParams.get("timeout_ms") ?? defaultIdleTimeout);
  const isIdle = await idle(timeout);
  return Response.json({ idle: isIdle }, { status: isIdle ? 200 : 503 });
}

/** Pays a session as a person does on the hosted page. A declined card is a 402. */
async function pay(account: Account, request: Request, id: string): Promise<Response> {
  const { card: number, email, name, ...entered } = await readJson(request, paySchema);
  const session = account.checkoutSessions.get(id);
  const card = findTestCard(number) ?? null;
  if (!card && number !== "none") {
    throw invalidRequest(`Not one of the test cards: ${number}`, { param: "card" });
  }
  const customer = account.customers.find(session.customer ?? "");
  const payer = {
    email: email ?? session.customer_email ?? customer?.email ?? "jenny.rosen@example.com",
    name,
    address: entered.address,
  };
  const attempt = {
    authentication: entered.authentication,
    businessName: entered.business_name,
    card,
    currency: entered.currency,
    payer,
    promotionCode: entered.promotion_code,
    taxId: entered.tax_id,
  };
  return Response.json(perform(account, checkoutCause(), (change) => payCheckout(change, session, attempt)));
}

async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.output<Schema>> {
  const result = schema.safeParse(parseJson((await request.text()) || "{}"));
  if (!result.success) throw invalidRequest(z.prettifyError(result.error));
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest("The body is not JSON.");
  }
}
