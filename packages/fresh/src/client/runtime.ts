// The browser's side of `fresh/runtime`. Same names and types as ../runtime.ts.
import { type ComponentChildren, isValidElement, toChildArray, type VNode } from "preact";
import { useEffect } from "preact/hooks";
import { lockUrl } from "../asset_url.ts";
import { buildId } from "./build_id.ts";

export const IS_BROWSER: boolean = true;

export function asset(path: string): string {
  return lockUrl(path, buildId);
}

/** Keeps the tags that the server put into `<head>` up to date with the island's state. */
export function Head({ children }: { children?: ComponentChildren }): null {
  useEffect(() => {
    for (const child of toChildArray(children)) {
      if (isValidElement(child)) update(child);
    }
  });
  return null;
}

function update({ type, key, props }: VNode<Record<string, unknown>>): void {
  const text = toChildArray(props.children as ComponentChildren).join("");
  if (type === "title") {
    document.title = text;
    return;
  }
  const [name, value] = key != null
    ? ["data-key", key]
    : props.id != null
    ? ["id", props.id]
    : type === "meta"
    ? ["name", props.name]
    : ["rel", props.rel];
  const tag = document.head.querySelector(`${type}[${name}="${CSS.escape(String(value))}"]`);
  if (!tag) return;
  for (const [name, value] of Object.entries(props)) {
    if (name !== "children") tag.setAttribute(name, String(value));
  }
  if (text !== "") tag.textContent = text;
}
