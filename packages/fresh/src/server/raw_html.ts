import type { VNode } from "preact";
import { jsxTemplate } from "preact/jsx-runtime";

/** A vnode for html that is put into the document as it is, with `content` between its two parts. */
export function rawHtml(before: string, content?: VNode | null, after = ""): VNode {
  return jsxTemplate([before, after], content) as VNode;
}
