import { type ComponentType, options, type VNode } from "preact";
import { IslandRoot, SlotContent } from "./islands.ts";
import { currentRender, type RenderState } from "./render_state.ts";

// `__b` runs before a vnode is rendered. Preact lists it in its mangle.json, and preact-render-to-string and
// @preact/signals rely on the same name, but its types leave it out.
const hooks = options as typeof options & { __b?: (vnode: VNode) => void };
const before = hooks.__b;
const after = hooks.diffed;

/** What changed vnodes were before: an app may keep a vnode and render it again. */
const originals = new WeakMap<VNode, Pick<VNode, "type" | "props">>();

function change(vnode: VNode, type: unknown, props: object): void {
  originals.set(vnode, { type: vnode.type, props: vnode.props });
  Object.assign(vnode, { type, props });
}

hooks.__b = (vnode) => {
  const state = currentRender();
  if (state) {
    if (typeof vnode.type === "function") enterComponent(vnode, state);
    else if (vnode.type === "script" || vnode.type === "style") {
      change(vnode, vnode.type, { ...vnode.props, nonce: state.nonce });
    }
  }
  before?.(vnode);
};

hooks.diffed = (vnode) => {
  after?.(vnode);
  const state = currentRender();
  if (!state) return;
  if ((vnode.type as unknown) === IslandRoot) state.inside = "page";
  else if ((vnode.type as unknown) === SlotContent) state.inside = "island";
  const original = originals.get(vnode);
  if (original) Object.assign(vnode, original);
};

function enterComponent(vnode: VNode, state: RenderState): void {
  if ((vnode.type as unknown) === SlotContent) state.inside = "slot";
  if (state.inside === "island" || !state.build.islands.has(vnode.type as ComponentType)) return;
  if (state.inside === "slot") throw new TypeError("What a page gives to an island cannot hold islands");
  change(vnode, IslandRoot, { component: vnode.type, props: vnode.props });
  state.inside = "island";
}
