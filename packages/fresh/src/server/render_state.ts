import type { ComponentChildren, ComponentType, VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import type { Build } from "../build.ts";

/** An island that a page shows, with the props its browser half will get. */
export interface IslandUse {
  component: ComponentType;
  props: Record<string, unknown>;
}

/** JSX that a page gave to an island; the browser takes it over as server-rendered content. */
export class Slot {
  rendered = false;
  constructor(readonly id: number, readonly content: ComponentChildren) {}
}

/** What comes together while one document is rendered. */
export class RenderState {
  /** For the inline scripts and styles of this document only. */
  readonly nonce: string = crypto.randomUUID().replaceAll("-", "");
  readonly islands: IslandUse[] = [];
  readonly slots: Slot[] = [];
  /** Where the renderer is. An island inside an island is a plain component; in a slot there is none. */
  inside: "page" | "island" | "slot" = "page";

  constructor(readonly build: Build) {}
}

let current: RenderState | undefined;

/** The document that is being rendered right now. */
export function currentRender(): RenderState | undefined {
  return current;
}

/** Html of a vnode, rendered as a part of this document. */
export function renderInto(state: RenderState, content: ComponentChildren): string {
  const outer = current;
  current = state;
  try {
    return renderToString(content as VNode);
  } finally {
    current = outer;
  }
}
