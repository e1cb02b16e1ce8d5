import { Fragment, type FunctionComponent, h, type VNode } from "preact";
import type { PageComponent, PageProps } from "../types.ts";
import { bootScript, pageChunks, renderHiddenSlots } from "./islands.ts";
import { rawHtml } from "./raw_html.ts";
import { renderInto, RenderState } from "./render_state.ts";
import type { Build } from "../build.ts";
import "./vnode_hooks.ts";

/** The request that a page is rendered for. */
export interface PageRequest extends Omit<PageProps, "Component"> {
  readonly build: Build;
  /** The `_app` around the page. */
  app: PageComponent | undefined;
  /** Set to the nonce of the page that was rendered. */
  nonce: string | undefined;
}

/** Renders a page to html, then `_app` around it, which has to render `<html>` and `<body>`. */
export function renderPage(ctx: PageRequest, component: PageComponent, init: ResponseInit = {}): Response {
  const { req, url, state, error } = ctx;
  const rendering = new RenderState(ctx.build);
  const render = (part: PageComponent, content: VNode | null) => {
    const Component: FunctionComponent = () => content;
    const Part: FunctionComponent = () => {
      const result = part({ req, url, state, error, Component });
      if (result instanceof Response || result instanceof Promise) {
        throw new TypeError("A page or _app returns what to render: no Response and no Promise");
      }
      return h(Fragment, null, result);
    };
    return renderInto(rendering, h(Part, null));
  };
  const page = render(component, null);
  const html = ctx.app ? render(ctx.app, rawHtml(page)) : page;
  ctx.nonce = rendering.nonce;
  const end = renderHiddenSlots(rendering) + bootScript(rendering);
  return new Response(`<!DOCTYPE html>${beforeEnd(html, end)}`, {
    ...init,
    headers: pageHeaders(init.headers, rendering),
  });
}

/** Puts `end` in front of the tags that close the document. */
function beforeEnd(html: string, end: string): string {
  const closing = html.match(/(?:<\/body>)?<\/html>$/);
  return closing ? html.slice(0, closing.index) + end + closing[0] : html + end;
}

/** Names all client code in the `Link` header, so that the browser asks for it at once. */
function pageHeaders(init: HeadersInit | undefined, state: RenderState): Headers {
  const headers = new Headers(init);
  headers.set("content-type", "text/html; charset=utf-8");
  const urls = new Set(pageChunks(state).flatMap((chunk) => [chunk.url, ...chunk.imports]));
  for (const url of urls) headers.append("link", `<${url}>; rel="modulepreload"; as="script"`);
  return headers;
}
