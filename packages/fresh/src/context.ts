import { type ComponentChildren, isValidElement, type VNode } from "preact";
import type { Build } from "./build.ts";
import type { PageComponent } from "./define.ts";
import { renderPage } from "./server/render_page.ts";

/** What middlewares, handlers and pages know about the request they work on. */
export interface Context<State = unknown> {
  readonly req: Request;
  /** The request's address, with runs of slashes in its path collapsed. */
  readonly url: URL;
  /** The parts of the path that the route's pattern names, decoded with `decodeURI`. */
  readonly params: Record<string, string>;
  /** Shared by everything that handles this request; starts as `{}`. */
  state: State;
  /** What was thrown last while handling this request. */
  readonly error: unknown;
  /** Runs the rest of the chain; rejects with whatever it throws. */
  next(): Promise<Response>;
  /** An empty answer that sends the browser to `to`; a path stays on this host whatever it contains. */
  redirect(to: string, status?: number): Response;
  /** Answers with this vnode as a whole html document, inside the layouts and `_app` of the route. */
  render(vnode: VNode | null, init?: ResponseInit): Promise<Response>;
}

/** What is rendered around a page. */
export interface View {
  app?: PageComponent<null>;
  /** From the outermost inward. */
  layouts: PageComponent<null>[];
}

const notStarted = () => Promise.reject(new Error("next() is only available while a request is handled"));

/** The Context that the server hands out, with the parts only Fresh itself may touch. */
export class RequestContext implements Context {
  readonly url: URL;
  params: Record<string, string> = {};
  state: unknown = {};
  error: unknown = undefined;
  next: () => Promise<Response> = notStarted;
  view: View = { layouts: [] };
  /** Of the page rendered for this request; undefined until there is one. */
  nonce: string | undefined = undefined;

  constructor(readonly req: Request, readonly build: Build) {
    this.url = new URL(req.url);
    this.url.pathname = this.url.pathname.replace(/\/{2,}/g, "/");
  }

  redirect(to: string, status = 302): Response {
    return new Response(null, { status, headers: { location: to.startsWith("/") ? onThisHost(to) : to } });
  }

  render(vnode: VNode | null, init?: ResponseInit): Promise<Response> {
    if (vnode !== null && !isValidElement(vnode)) throw new TypeError("ctx.render() needs a vnode or null");
    return renderPage(this, () => vnode as ComponentChildren, undefined, init);
  }
}

/** Browsers read `//host`, `/\host` and both with tabs or line breaks in them as an address elsewhere. */
function onThisHost(to: string): string {
  const [path] = to.split(/[?#]/, 1);
  return path.replace(/[\t\r\n]/g, "").replace(/[/\\]{2,}/g, "/") + to.slice(path.length);
}
