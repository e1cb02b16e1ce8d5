/**
 * The demo parent app around the real plugin page, in a browser, with the plugin's API played by the test: no
 * database, no Stripe. Parent on `localhost`, plugin on `127.0.0.1`.
 */

import type { Browser, BrowserContextOptions, FrameLocator, Page } from "playwright-core";
import { addAssistant } from "../../examples/assistant/add_assistant.tsx";
import { createApp } from "../../server/app.ts";
import { readServerConfig } from "../../billing/config.ts";
import type { BillingInfo } from "../../browser/api/contract.ts";
import { billingInfo, free } from "../../browser/testing/billing_info.ts";
import { Builder } from "fresh/dev";
import { startParent } from "../../local/parent_app/start_parent.ts";
import { freePorts } from "../../local/processes/ports.ts";

const IDENTITY_SECRET = "identity-secret-of-at-least-32-characters";

/** What the played API answers. A test changes it as its story goes on. */
export class PlayedApi {
  /** Billing info, or a problem's code and status. */
  info: BillingInfo | Problem = billingInfo(free);
  checkout: object | Problem = { code: "stripe_unavailable", status: 503 };
  portal: object | Problem = { code: "stripe_unavailable", status: 503 };
  /** What the assistant answers; what it hears when null. */
  assistant: Problem | null = null;
  /** How many sessions were opened. The token of each is `session-N`. */
  sessions = 0;
  /** Tokens that are not taken any more. */
  refusedTokens: string[] = [];
  /** Every call but those that open sessions: method, path, and the body if there is one. */
  readonly calls: string[] = [];
  /** Holds up answers until resolved. */
  gate: Promise<void> = Promise.resolve();

  /** The answer to one request. */
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

interface Problem {
  code: string;
  status: number;
  [member: string]: unknown;
}

function answerWith(answer: object | Problem): Response {
  if ("status" in answer && "code" in answer) return Response.json(answer, { status: answer.status });
  return Response.json(answer);
}

export interface OpenOptions extends BrowserContextOptions {
  /** An id of `local/parent_app/people.ts`; the admin when left out. */
  person?: string;
  path?: string;
  /** True for a clock that the test can put forward. */
  clock?: boolean;
}

/** A community page that is open in a browser. */
export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** The plugin in its iframe. */
  plugin: FrameLocator;
}

/** Both sites, running until disposed. */
export class PluginRig implements AsyncDisposable {
  private constructor(
    readonly parentUrl: string,
    readonly pluginUrl: string,
    readonly stop: () => Promise<unknown>,
  ) {}

  /** `env` is added to the plugin server's environment. */
  static async start(env: Record<string, string> = {}): Promise<PluginRig> {
    const [parentPort, pluginPort] = freePorts(2);
    const parentUrl = `http://localhost:${parentPort}`;
    const pluginUrl = `http://127.0.0.1:${pluginPort}`;
    const parent = startParent({ port: parentPort, pluginUrl, jwtSecret: IDENTITY_SECRET });
    const config = readServerConfig({
      PARENT_APP_URL: parentUrl,
      PLUGIN_URL: pluginUrl,
      PARENT_APP_JWT_SECRET: IDENTITY_SECRET,
      STRIPE_SECRET_KEY: "sk_test_unused",
      STRIPE_PUBLISHABLE_KEY: "pk_test_unused",
      STRIPE_WEBHOOK_SECRET: "whsec_unused",
      DUES_EXAMPLES: "true",
      SUPABASE_URL: "http://127.0.0.1:9",
      SUPABASE_PUBLISHABLE_KEY: "unused",
      SUPABASE_DB_URL: "postgresql://unused:unused@127.0.0.1:9/unused",
      SUPABASE_JWT_SECRET: "session-secret-of-at-least-32-characters",
      ...env,
    });
    const app = addAssistant(await createApp(config));
    const builder = new Builder({ root: import.meta.dirname + "/../.." });
    builder.registerIsland(import.meta.resolve("../../examples/assistant/Assistant.tsx"));
    const stopping = new AbortController();
    const listening = Promise.withResolvers<void>();
    const served = builder.listen(
      () => Promise.resolve({ app }),
      {
        port: pluginPort,
        signal: stopping.signal,
        onListen: () => listening.resolve(),
      },
    );
    await listening.promise;
    return new PluginRig(parentUrl, pluginUrl, () => {
      stopping.abort();
      return Promise.all([served, parent.stop()]);
    });
  }

  /** Opens a community page as one of the parent app's people, with the plugin's API played by `api`. */
  async open(
    browser: Browser,
    api: PlayedApi,
    { person = "ada", path = "/c/garden/", clock = false, ...options }: OpenOptions = {},
  ): Promise<OpenPage> {
    const context = await browser.newContext(options);
    if (clock) await context.clock.install();
    await context.route(`${this.pluginUrl}/api/**`, async (route) => {
      const request = route.request();
      const answer = await api.answer(
        new Request(request.url(), {
          method: request.method(),
          headers: await request.allHeaders(),
          body: request.postData(),
        }),
      );
      await route.fulfill({
        status: answer.status,
        contentType: "application/json",
        body: await answer.text(),
      }).catch(() => {}); // the page that asked may be gone
    });
    await context.addCookies([await this.#sessionCookie(person)]);
    const page = await context.newPage();
    await page.goto(this.parentUrl + path);
    return {
      page,
      plugin: page.frameLocator("iframe[data-dues]"),
      [Symbol.asyncDispose]: () => context.close(),
    };
  }

  async #sessionCookie(personId: string) {
    const response = await fetch(`${this.parentUrl}/sign-in`, {
      method: "POST",
      headers: { origin: this.parentUrl },
      body: new URLSearchParams({ personId, returnTo: "/" }),
      redirect: "manual",
    });
    await response.body?.cancel();
    const [name, value] = response.headers.get("set-cookie")!.split(";")[0].split("=");
    return { name, value, url: this.parentUrl };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
