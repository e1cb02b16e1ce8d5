import type { VNode } from "preact";
import { headMark, renderHead } from "./head.ts";
import { bootScript, renderHiddenSlots } from "./islands.ts";
import { renderInto, type RenderState } from "./render_state.ts";
import "./vnode_hooks.ts";

const CHARSET = '<meta charset="utf-8"/>';

/** A whole html document around what the app rendered; adds those of html, head and body that are missing. */
export function renderDocument(state: RenderState, content: VNode): string {
  const html = renderInto(state, content);
  const { seen } = state;
  const end = renderHiddenSlots(state) + bootScript(state);
  const head = renderHead(state);
  const missingHead = seen.has("head") ? "" : `<head>${CHARSET}${head}</head>`;

  let document: string;
  if (seen.has("html")) {
    document = html.replace(/^<html(?:"[^"]*"|[^">])*>/, (tag) => tag + missingHead);
  } else {
    const body = seen.has("body") || seen.has("head") ? html : `<body>${html}</body>`;
    document = `<html>${missingHead}${body}</html>`;
  }
  document = document.replace(headMark(state), () => head);
  return `<!DOCTYPE html>${beforeEnd(document, end)}`;
}

/** Puts `end` in front of the tags that close the document. */
function beforeEnd(document: string, end: string): string {
  const closing = document.match(/(?:<\/body>)?<\/html>$/);
  return closing ? document.slice(0, closing.index) + end + closing[0] : document + end;
}
