import { isValidElement, type VNode } from "preact";
import type { Build } from "../build.ts";
import type { Context, PageComponent } from "../types.ts";
import { type PageRequest, renderPage } from "./render_page.ts";

const notStarted = () => Promise.reject(new Error("next() is only available while a request is handled"));

/** The Context that the server hands out, with the parts only Fresh itself may touch. */
export class RequestContext implements Context, PageRequest {
  readonly url: URL;
  state: unknown = {};
  error: unknown = undefined;
  next: () => Promise<Response> = notStarted;
  app: PageComponent | undefined = undefined;
  nonce: string | undefined = undefined;

  constructor(readonly req: Request, readonly build: Build) {
    this.url = new URL(req.url);
    this.url.pathname = this.url.pathname.replace(/\/{2,}/g, "/");
  }

  render(vnode: VNode, init?: ResponseInit): Promise<Response> {
    if (!isValidElement(vnode)) throw new TypeError("ctx.render() needs a vnode");
    return Promise.resolve(renderPage(this, () => vnode, init));
  }
}
