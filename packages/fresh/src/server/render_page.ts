import { type ComponentChildren, Fragment, type FunctionComponent, h, type VNode } from "preact";
import type { RequestContext } from "../context.ts";
import type { PageComponent, PageProps } from "../define.ts";
import { renderDocument } from "./document.ts";
import { pageChunks } from "./islands.ts";
import { rawHtml } from "./raw_html.ts";
import { renderInto, RenderState } from "./render_state.ts";

const AsyncFunction = (async () => {}).constructor;

/**
 * Renders a page inside its layouts and `_app`. The page and the layouts become html before `_app` runs, so that what
 * they write to `state` or to `<Head>` is there for it. A Response from any async part is sent as it is.
 */
export async function renderPage(
  ctx: RequestContext,
  component: PageComponent,
  data: unknown,
  init: ResponseInit = {},
): Promise<Response> {
  const { app, layouts } = ctx.view;
  const state = new RenderState(ctx.build);

  let content = await call(component, props(ctx, data));
  for (const layout of layouts.toReversed()) {
    if (content instanceof Response) return content;
    content = await call(layout, props(ctx, null, content));
  }
  if (content instanceof Response) return content;
  if (app) {
    const html = renderInto(state, content);
    content = await call(app, props(ctx, null, rawHtml(html)));
    if (content instanceof Response) return content;
  }
  const html = renderDocument(state, h(Fragment, null, content));
  ctx.nonce = state.nonce;
  return new Response(html, { ...init, headers: pageHeaders(init.headers, state) });
}

function props<Data>(ctx: RequestContext, data: Data, content: ComponentChildren = null): PageProps<Data> {
  const { req, url, params, state, error } = ctx;
  const Component: FunctionComponent = () => content as VNode;
  return { req, url, params, state, error, data, Component };
}

/** Sync parts are rendered as components and may use hooks; async ones are awaited first. */
function call<Data>(
  component: PageComponent<Data>,
  props: PageProps<Data>,
): ComponentChildren | Response | Promise<ComponentChildren | Response> {
  if (component instanceof AsyncFunction) return component(props);
  return h(() => {
    const content = component(props);
    if (content instanceof Response || content instanceof Promise) {
      throw new TypeError("Only an async page, layout or _app may wait or return a Response");
    }
    return h(Fragment, null, content);
  }, null);
}

function pageHeaders(init: HeadersInit | undefined, state: RenderState): Headers {
  const headers = new Headers(init);
  headers.set("content-type", "text/html; charset=utf-8");
  const urls = new Set(pageChunks(state).flatMap((chunk) => [chunk.url, ...chunk.imports]));
  for (const url of urls) headers.append("link", `<${url}>; rel="modulepreload"; as="script"`);
  return headers;
}
