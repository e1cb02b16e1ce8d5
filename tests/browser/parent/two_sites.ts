/**
 * A parent page on `localhost` and framed pages on `127.0.0.1`, which are two sites, as in production. The framed pages
 * do nothing on their own: a test posts messages from them and reads what they have received.
 */

import assert from "node:assert/strict";
import type { Browser, BrowserContext, Frame, Page } from "playwright-core";
import { bundleModule, bundleScript } from "../../../packages/parent/bundle.ts";

/** One iframe of the parent page. */
export interface FrameSpec {
  /** The name that `frameOf` finds it by. */
  name: string;
  site: "plugin" | "hostile";
  /** More attributes, such as `data-dues`. */
  attributes?: string;
}

/** Serves both sites until it is disposed. */
export class TwoSites implements AsyncDisposable {
  readonly plugin: string;
  readonly hostile: string;
  readonly parent: string;
  /** How many identity tokens the parent has issued. */
  tokens = 0;
  /** The next tokens are delayed until this resolves. */
  tokenGate: Promise<void> = Promise.resolve();
  /** The status of the token endpoint's answers. */
  tokenStatus = 200;
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];
  #frames: FrameSpec[] = [];
  #script = "";

  constructor() {
    const framed = () => serve(() => html(FRAMED_PAGE));
    const parent = serve((request) => this.#answerAsParent(request));
    const plugin = framed();
    const hostile = framed();
    this.#servers = [parent, plugin, hostile];
    this.parent = `http://localhost:${parent.addr.port}`;
    this.plugin = `http://127.0.0.1:${plugin.addr.port}`;
    this.hostile = `http://127.0.0.1:${hostile.addr.port}`;
  }

  /**
   * Opens a parent page with these iframes and the parent script in a tag, or with `script` in its place. Resolves when
   * the iframes have loaded.
   */
  async open(
    browser: Browser | BrowserContext,
    path: string,
    frames: FrameSpec[],
    script?: string,
  ): Promise<Page> {
    this.#frames = frames;
    this.#script = script ??
      `<script src="/dues-parent.js" data-plugin-origin="${this.plugin}" data-extra-open-origins="${this.hostile}"></script>`;
    const page = await browser.newPage();
    await page.goto(this.parent + path);
    return page;
  }

  async #answerAsParent(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/dues-parent.js") return javascript(await bundleScript());
    if (pathname === "/dues-parent.mjs") return javascript(await bundleModule());
    if (pathname === "/token" && request.method === "POST") {
      await this.tokenGate;
      return Response.json({ identityToken: `token-${++this.tokens}` }, { status: this.tokenStatus });
    }
    const frames = this.#frames.map(({ name, site, attributes = "" }) =>
      `<iframe name="${name}" src="${this[site]}/" data-dues-token-url="/token" ${attributes}></iframe>`
    );
    return html(`${this.#script}
      <script>seen = []; addEventListener("message", (event) => seen.push(event.data));</script>
      ${frames.join("")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }
}

const FRAMED_PAGE = `<script>
  received = [];
  addEventListener("message", ({ origin, data }) => received.push({ origin, data }));
</script>`;

/** The messages that a framed page has received so far. */
export function receivedBy(frame: Frame): Promise<{ origin: string; data: unknown }[]> {
  return frame.evaluate("received");
}

/** Waits until a framed page has received this many messages, and returns them without their origin. */
export async function messagesOf(frame: Frame, count: number): Promise<unknown[]> {
  await frame.waitForFunction(`received.length >= ${count}`);
  return (await receivedBy(frame)).map(({ data }) => data);
}

/** Waits until a framed page has its identity token, and returns the types of the messages it has received by then. */
export async function typesUntilToken(frame: Frame): Promise<string[]> {
  await frame.waitForFunction(`received.some(({ data }) => data.type === "pluginContext")`);
  return (await receivedBy(frame)).map(({ data }) => (data as { type: string }).type);
}

/** The iframe with this name. */
export function frameOf(page: Page, name: string): Frame {
  const frame = page.frame({ name });
  assert.ok(frame, `no iframe named ${name}`);
  return frame;
}

/** Posts a message from a framed page to the parent, and waits until the parent has handled it. */
export async function say(frame: Frame, message: unknown): Promise<void> {
  const page = frame.page();
  const before = await page.evaluate<number>("seen.length");
  await frame.evaluate((data) => globalThis.parent.postMessage(data, "*"), message);
  await page.waitForFunction(`seen.length > ${before}`);
}

function serve(handler: (request: Request) => Response | Promise<Response>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

function html(body: string): Response {
  return new Response(`<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">${body}`, {
    headers: { "content-type": "text/html" },
  });
}

function javascript(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/javascript" } });
}
