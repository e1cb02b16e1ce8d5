import type { BillingInfo } from "../../../browser/api/contract.ts";
import { billingInfo, free } from "../../../browser/testing/billing_info.ts";

/** The members of a problem document. */
export interface Problem {
  code: string;
  status: number;
  [member: string]: unknown;
}

export const CHECKOUT_URL = "https://checkout.stripe.com/c/pay/cs_test_1";
export const PORTAL_URL = "https://billing.stripe.com/p/session/test_1";

/** Entries of `FakeApi.calls`. */
export const BILLING_INFO_CALL = "GET /api/community/billing-info";
export const CHECKOUT_CALL = `POST /api/stripe/create-checkout-session {"planCode":"pro"}`;

/** The answer to a call that the free plan's quota refuses. `resetsAt` is in ISO 8601, or null. */
export const quotaExceeded = (resetsAt: string | null): Problem => ({
  code: "quota_exceeded",
  status: 402,
  feature: "ai_chat_message",
  quota: 100,
  used: 100,
  windowSeconds: 2_592_000,
  period: "rolling",
  resetsAt,
  upgradePlan: "pro",
});

/** A fake of the plugin's API. A test sets the answers, before and while the page is open. */
export class FakeApi {
  info: BillingInfo | Problem = billingInfo(free);
  checkout: object | Problem = { code: "stripe_unavailable", status: 503 };
  portal: object | Problem = { code: "stripe_unavailable", status: 503 };
  /** The assistant's answer; null repeats the message. */
  assistant: Problem | null = null;
  /** How many sessions were opened. Their tokens are `session-1`, `session-2`, … */
  sessions = 0;
  /** Tokens that are answered 401. */
  refusedTokens: string[] = [];
  /** Every call except those that open sessions: method, path, and the body if there is one. */
  readonly calls: string[] = [];
  /** Answers are delayed until this resolves. */
  gate: Promise<void> = Promise.resolve();

  /** An API whose checkouts have the address `CHECKOUT_URL`. */
  static withCheckout(): FakeApi {
    const api = new FakeApi();
    api.checkout = { sessionId: "cs_test_1", url: CHECKOUT_URL };
    return api;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/auth/session") return Response.json(this.#openSession());
    const body = await request.text();
    this.calls.push([request.method, pathname, body].filter(Boolean).join(" "));
    await this.gate;
    const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    if (this.refusedTokens.includes(token)) return answerWith({ code: "expired_token", status: 401 });
    if (pathname === "/api/community/billing-info") return answerWith(this.info);
    if (pathname === "/api/stripe/create-checkout-session") return answerWith(this.checkout);
    if (pathname === "/api/stripe/create-portal-session") return answerWith(this.portal);
    if (pathname === "/api/assistant/messages") {
      return answerWith(this.assistant ?? { reply: JSON.parse(body).message });
    }
    return answerWith({ code: "not_found", status: 404 });
  }

  #openSession() {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    return { token: `session-${++this.sessions}`, expiresAt, isAdmin: true, pluginId: null };
  }
}

function answerWith(answer: object | Problem): Response {
  if ("status" in answer && "code" in answer) return Response.json(answer, { status: answer.status });
  return Response.json(answer);
}
