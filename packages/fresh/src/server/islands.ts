import { Signal } from "@preact/signals";
import { DevalueError, uneval, type UnevalReplacer } from "devalue";
import { type ComponentType, Fragment, h, isValidElement, type VNode } from "preact";
import type { Chunk, Island } from "../build.ts";
import { rawHtml } from "./raw_html.ts";
import { currentRender, type IslandUse, renderInto, type RenderState, Slot } from "./render_state.ts";

// The browser finds islands and slots by these comments; client/boot.ts reads them.
const marked = (kind: "island" | "slot", id: number, content: VNode) =>
  rawHtml(`<!--fresh-${kind}:${id}-->`, content, `<!--/fresh-${kind}:${id}-->`);

interface IslandRootProps {
  island: Island;
  component: ComponentType;
  props: Record<string, unknown>;
}

/** Stands in for an island's component on the server: renders it in place and remembers its props. */
export function IslandRoot({ island, component, props }: IslandRootProps): VNode {
  const state = currentRender()!;
  const use: IslandUse = { island, props: {} };
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

// A signal passes for a vnode too: preact only looks at `constructor`.
const isVNode = (value: unknown): value is VNode => isValidElement(value) && !(value instanceof Signal);

function hasJsx(value: unknown): value is VNode {
  return isVNode(value) || (Array.isArray(value) && value.some(hasJsx));
}

function addSlot(state: RenderState, content: VNode): Slot {
  const slot = new Slot(state.slots.length, content);
  state.slots.push(slot);
  return slot;
}

/** Slots that no island has shown yet, each in a `<template>` for the day it does. */
export function renderHiddenSlots(state: RenderState): string {
  let html = "";
  // A slot's content may bring islands with more slots: the list grows while it is worked off.
  for (const slot of state.slots) {
    if (slot.rendered) continue;
    html += `<template data-fresh-slot="${slot.id}">${renderInto(state, slot.content)}</template>`;
  }
  return html;
}

/** All client code that the page loads, flattened so that the browser asks for everything at once. */
export function pageChunks(state: RenderState): Chunk[] {
  const { client } = state.build;
  const chunks = new Set(state.islands.map((use) => use.island.chunk));
  if (chunks.size > 0) chunks.add(client.boot);
  if (client.reload) chunks.add(client.reload);
  return [...chunks];
}

/** The inline script that starts the page's islands; empty for a page that needs no client code. */
export function bootScript(state: RenderState): string {
  const { client } = state.build;
  const code: string[] = [];
  if (client.reload) code.push(`import"${client.reload.url}";`);
  if (state.islands.length > 0) code.push(...startIslands(state));
  return code.length > 0 ? `<script type="module" nonce="${state.nonce}">${code.join("")}</script>` : "";
}

function startIslands({ islands, build: { client } }: RenderState): string[] {
  const names = new Map<Island, string>();
  for (const { island } of islands) {
    if (!names.has(island)) names.set(island, `$${names.size}`);
  }
  const props = propsCode(islands);
  const imports = new Map<string, string[]>();
  const addImport = ({ url }: Chunk, ...imported: string[]) =>
    imports.set(url, [...imports.get(url) ?? [], ...imported]);
  addImport(client.boot, "boot", "slot");
  for (const [{ chunk, exportName }, name] of names) addImport(chunk, `${exportName} as ${name}`);
  if (props.usesSignals) addImport(client.signals, "signal", "frozen");
  const components = islands.map(({ island }) => names.get(island));
  return [
    ...[...imports].map(([url, imported]) => `import{${imported}}from"${url}";`),
    `boot([${components}],${props.code});`,
  ];
}

/**
 * The props of all islands as one JavaScript expression, so that a signal or object given to two of them is the same
 * one in the browser.
 */
function propsCode(islands: IslandUse[]): { code: string; usesSignals: boolean } {
  let usesSignals = false;
  const replace: UnevalReplacer = (value, js) => {
    if (value instanceof Slot) return js`slot(${value.id})`;
    if (value instanceof Signal) {
      usesSignals = true;
      // Only a plain signal has Signal's own prototype; a computed one cannot be computed in the browser.
      const isPlain = Object.getPrototypeOf(value) === Signal.prototype;
      return isPlain ? js`signal(${value.peek()})` : js`frozen(${value.peek()})`;
    }
    if (isVNode(value)) throw new TypeError("JSX is only possible as the whole value of a prop");
    if (isClassInstance(value)) return js`(${{ ...value }})`;
  };
  try {
    return { code: uneval(islands.map((use) => use.props), replace), usesSignals };
  } catch (cause) {
    const where = cause instanceof DevalueError ? ` (at ${cause.path})` : "";
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`The props of an island cannot be sent to the browser: ${reason}${where}`, { cause });
  }
}

/** An object of the app's own classes; those that the platform defines have a tag or belong to devalue. */
function isClassInstance(value: unknown): value is object {
  if (Object.prototype.toString.call(value) !== "[object Object]") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype;
}
