import type { ComponentChildren, FunctionComponent, VNode } from "preact";

/** What middlewares, handlers and pages know about the request they work on. */
export interface Context<State = unknown> {
  readonly req: Request;
  /** The request's address, with runs of slashes in its path collapsed. */
  readonly url: URL;
  /** Shared by everything that handles this request; starts as `{}`. */
  state: State;
  /** What was thrown last while this request was handled. */
  readonly error: unknown;
  /** Runs the rest of the chain; rejects with whatever that throws. */
  next(): Promise<Response>;
  /** Answers with this vnode as a whole html document, inside the `_app` of the routes. */
  render(vnode: VNode, init?: ResponseInit): Promise<Response>;
}

/** A step on the way to the answer: it answers itself or calls `ctx.next()` for what lies below it. */
export type Middleware<State = unknown> = (ctx: Context<State>) => Response | Promise<Response>;

/** What a page or `_app` is called with. */
export interface PageProps<State = unknown> extends Pick<Context<State>, "req" | "url" | "state" | "error"> {
  /** What `_app` wraps. */
  Component: FunctionComponent;
}

/** A page or `_app`. It is rendered as a component, so it may use hooks; it is not async. */
export type PageComponent<State = unknown> = (props: PageProps<State>) => ComponentChildren;
