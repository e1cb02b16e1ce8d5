import { uneval } from "devalue";
import { type ComponentType, Fragment, h, isValidElement, type VNode } from "preact";
import type { Chunk } from "../build.ts";
import { rawHtml } from "./raw_html.ts";
import { currentRender, type IslandUse, renderInto, type RenderState, Slot } from "./render_state.ts";

// The browser finds islands and slots by these comments; client/boot.ts reads them.
const marked = (kind: "island" | "slot", id: number, content: VNode) =>
  rawHtml(`<!--fresh-${kind}:${id}-->`, content, `<!--/fresh-${kind}:${id}-->`);

interface IslandRootProps {
  component: ComponentType;
  props: Record<string, unknown>;
}

/** Stands in for an island's component on the server: renders it in place and remembers its props. */
export function IslandRoot({ component, props }: IslandRootProps): VNode {
  const state = currentRender()!;
  const use: IslandUse = { component, props: {} };
  const id = state.islands.push(use) - 1;
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(props)) {
    const slot = hasJsx(value) ? addSlot(state, value) : undefined;
    use.props[name] = slot ?? value;
    shown[name] = slot ? h(SlotContent, { slot }) : value;
  }
  return marked("island", id, h(component, shown));
}

/** The content of a slot, wherever the island shows it. */
export function SlotContent({ slot }: { slot: Slot }): VNode {
  slot.rendered = true;
  return marked("slot", slot.id, h(Fragment, null, slot.content));
}

// Preact also takes a signal for a vnode, but only a vnode has a type.
const isVNode = (value: unknown): value is VNode => isValidElement(value) && Object.hasOwn(value, "type");

function hasJsx(value: unknown): value is VNode {
  return isVNode(value) || (Array.isArray(value) && value.some(hasJsx));
}

function addSlot(state: RenderState, content: VNode): Slot {
  const slot = new Slot(state.slots.length, content);
  state.slots.push(slot);
  return slot;
}

/** Slots that no island has shown yet, each in a `<template>` until one does. */
export function renderHiddenSlots(state: RenderState): string {
  return state.slots.filter((slot) => !slot.rendered).map((slot) => {
    state.inside = "slot";
    return `<template data-fresh-slot="${slot.id}">${renderInto(state, slot.content)}</template>`;
  }).join("");
}

/** The client code that the page loads. */
export function pageChunks({ build, islands }: RenderState): Chunk[] {
  return [...(islands.length > 0 ? [build.client] : []), ...(build.reload ? [build.reload] : [])];
}

/** The inline script that starts the page's islands; empty for a page that needs no client code. */
export function bootScript(state: RenderState): string {
  const { reload } = state.build;
  const code = (reload ? `import"${reload.url}";` : "") +
    (state.islands.length > 0 ? startIslands(state) : "");
  return code === "" ? "" : `<script type="module" nonce="${state.nonce}">${code}</script>`;
}

function startIslands({ islands, build }: RenderState): string {
  const names = islands.map(({ component }) => build.islands.get(component)!);
  const imported = ["boot", "slot", ...new Set(names)];
  return `import{${imported}}from"${build.client.url}";boot([${names}],${propsCode(islands)});`;
}

/** The props of all islands as one JavaScript expression: the browser needs no parser for them. */
function propsCode(islands: IslandUse[]): string {
  try {
    return uneval(islands.map((use) => use.props), (value, js) => {
      if (value instanceof Slot) return js`slot(${value.id})`;
      if (isVNode(value)) throw new TypeError("JSX is only possible as the whole value of a prop");
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`The props of an island cannot be sent to the browser: ${reason}`, { cause });
  }
}
