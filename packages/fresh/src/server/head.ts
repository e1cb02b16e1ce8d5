import {
  cloneElement,
  type ComponentChildren,
  Fragment,
  isValidElement,
  toChildArray,
  type VNode,
} from "preact";
import { currentRender, renderInto, type RenderState } from "./render_state.ts";

/** Where `<Head>` children go: its only occurrence in the html is replaced once everything is rendered. */
export const headMark = (state: RenderState): string => `<!--head:${state.nonce}-->`;

/** Remembers the children of a `<Head>`; of those that mean the same tag the last one counts. */
export function addToHead(children: ComponentChildren): void {
  const head = currentRender()?.head;
  if (!head) return;
  for (const child of toChildArray(children)) {
    if (!isValidElement(child)) continue;
    const { type, props } = child as VNode<
      { children?: ComponentChildren; tpl?: unknown }
    >;
    if (type === Fragment && !("tpl" in props)) {
      addToHead(props.children);
    } else {
      const key = headKey(child) ?? `component ${head.size}`;
      head.delete(key);
      head.set(key, child);
    }
  }
}

/** Equal for tags of which the document should have only one; undefined for anything but a tag. */
export function headKey({ type, key, props }: VNode): string | undefined {
  if (typeof type !== "string") return undefined;
  if (type === "title") return type;
  if (key !== null && key !== undefined) return `${type} key ${key}`;
  const varying: Record<string, string> = { meta: "content", link: "href" };
  const attributes = Object.entries(props)
    .filter(([name]) => name !== "children" && name !== "nonce" && name !== varying[type])
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  return [type, ...attributes].join(" ");
}

/** The collected tags as html. Keys stay visible to the browser, which finds tags by them. */
export function renderHead(state: RenderState): string {
  const tags = [...state.head.values()].map((tag) =>
    typeof tag.type === "string" && tag.key !== null && tag.key !== undefined
      ? cloneElement(tag, { "data-key": tag.key })
      : tag
  );
  return renderInto(state, tags);
}
