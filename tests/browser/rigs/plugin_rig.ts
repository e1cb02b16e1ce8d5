/**
 * The demo parent app and the real plugin page in a browser, with a fake of the plugin's API. Needs no database and no
 * Stripe. The parent is on `localhost` and the plugin on `127.0.0.1`, so they are two sites.
 */

import type { Browser, BrowserContextOptions, FrameLocator, Page } from "playwright-core";
import { addAssistant } from "../../../examples/assistant/add_assistant.tsx";
import { createApp } from "../../../server/app.ts";
import { readServerConfig } from "../../../billing/config.ts";
import { Builder } from "fresh/dev";
import { startParent } from "../../../local/parent_app/start_parent.ts";
import { freePorts } from "../../../local/processes/ports.ts";
import { launchBrowser } from "../../support/browser.ts";
import type { FakeApi } from "./fake_api.ts";

const IDENTITY_SECRET = "identity-secret-of-at-least-32-characters";

export interface OpenOptions extends BrowserContextOptions {
  /** An id in `local/parent_app/people.ts`; by default the admin. */
  person?: string;
  path?: string;
  /** True for a clock that the test advances. */
  clock?: boolean;
}

/** An open community page. */
export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** The plugin in its iframe. */
  plugin: FrameLocator;
}

/** The two sites. They run until the rig is disposed. */
export class PluginRig implements AsyncDisposable {
  private constructor(
    readonly parentUrl: string,
    readonly pluginUrl: string,
    readonly stop: () => Promise<unknown>,
  ) {}

  /** Starts both sites. `env` is added to the plugin server's environment. */
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
      SUPABASE_DB_URL: "postgresql://unused:unused@127.0.0.1:9/unused",
      SESSION_SECRET: "session-secret-of-at-least-32-characters",
      ...env,
    });
    const app = addAssistant(await createApp(config));
    const builder = new Builder({ root: import.meta.dirname + "/../../.." });
    builder.registerIsland(import.meta.resolve("../../../examples/assistant/Assistant.tsx"));
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

  /** Opens a community page as a signed-in person, with the plugin's API replaced by `api`. */
  async open(
    browser: Browser,
    api: FakeApi,
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
      }).catch(() => {}); // the page may be closed already
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

/** The browser and the rig of a test file. */
export interface PluginSite {
  readonly browser: Browser;
  readonly parentUrl: string;
  readonly pluginUrl: string;
  open(api: FakeApi, options?: OpenOptions): Promise<OpenPage>;
}

/** Starts a browser and a rig before the tests of the calling file, and stops both after them. */
export function usePluginSite(): PluginSite {
  let browser: Browser;
  let rig: PluginRig;
  Deno.test.beforeAll(async () => {
    [browser, rig] = await Promise.all([launchBrowser(), PluginRig.start()]);
  });
  Deno.test.afterAll(async () => {
    await browser?.close();
    await rig?.[Symbol.asyncDispose]();
  });
  return {
    get browser() {
      return browser;
    },
    get parentUrl() {
      return rig.parentUrl;
    },
    get pluginUrl() {
      return rig.pluginUrl;
    },
    open: (api, options) => rig.open(browser, api, options),
  };
}
