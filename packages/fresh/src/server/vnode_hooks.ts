import { Fragment, options, toChildArray, type VNode } from "preact";
import { lockImage } from "../asset_url.ts";
import { headKey, headMark } from "./head.ts";
import { IslandRoot, SlotContent } from "./islands.ts";
import { rawHtml } from "./raw_html.ts";
import { currentRender, type RenderState } from "./render_state.ts";

// `__b` runs before a vnode is rendered. Preact lists it in its mangle.json, and preact-render-to-string and
// @preact/signals rely on the same name, but its types leave it out.
const hooks = options as typeof options & { __b?: (vnode: VNode) => void };
const before = hooks.__b;
const after = hooks.diffed;

const HEAD_TAGS = new Set(["title", "meta", "link", "base", "style", "script", "noscript"]);

/** What changed vnodes were before: an app may keep a vnode and render it again. */
const originals = new WeakMap<VNode, Pick<VNode, "type" | "props">>();

function change(vnode: VNode, type: unknown, props: object): void {
  originals.set(vnode, { type: vnode.type, props: vnode.props });
  Object.assign(vnode, { type, props });
}

hooks.__b = (vnode) => {
  const state = currentRender();
  if (state) {
    if (typeof vnode.type === "string") enterElement(vnode, vnode.type, state);
    else enterComponent(vnode, state);
  }
  before?.(vnode);
};

hooks.diffed = (vnode) => {
  after?.(vnode);
  const state = currentRender();
  if (!state) return;
  if (vnode.type === IslandRoot) state.insideIsland = false;
  else if (vnode.type === SlotContent) state.insideIsland = true;
  else if (vnode.type === "head") state.insideHead = false;
  const original = originals.get(vnode);
  if (original) Object.assign(vnode, original);
};

function enterComponent(vnode: VNode, state: RenderState): void {
  const component = vnode.type as typeof Fragment;
  if (vnode.type === SlotContent) state.insideIsland = false;
  if (state.insideIsland) return;
  const island = state.build.islands.get(component);
  if (!island) return;
  change(vnode, IslandRoot, { island, component, props: vnode.props });
  state.insideIsland = true;
}

function enterElement(vnode: VNode, type: string, state: RenderState): void {
  if (state.insideHead && HEAD_TAGS.has(type)) {
    const key = headKey(vnode);
    if (key !== undefined && state.head.has(key)) return change(vnode, Fragment, {});
  }
  switch (type) {
    case "html":
    case "body":
      state.seen.add(type);
      break;
    case "head":
      state.seen.add(type);
      state.insideHead = true;
      change(vnode, type, {
        ...vnode.props,
        children: [...toChildArray(vnode.props.children), rawHtml(headMark(state))],
      });
      break;
    case "script":
    case "style":
      change(vnode, type, { ...vnode.props, nonce: state.nonce });
      break;
    case "img":
    case "source": {
      const props = { ...vnode.props };
      lockImage(type, props, state.build.id);
      change(vnode, type, props);
    }
  }
}
