// Starts the islands of a page. The page's inline script calls boot() with their components and props.
import {
  type ComponentChild,
  type ComponentType,
  Fragment,
  type FunctionComponent,
  h,
  options,
  render,
  type VNode,
} from "preact";
import { lockImage } from "../asset_url.ts";
import { buildId } from "./build_id.ts";

const onVNode = options.vnode;
options.vnode = (vnode) => {
  lockImage(vnode.type, vnode.props as Record<string, unknown>, buildId);
  onVNode?.(vnode);
};

type Component = ComponentType<Record<string, unknown>>;

/** Comments that open an island or a slot, by what they say. */
const marks = new Map<string, Comment>();
/** Server-rendered content that islands got as props. */
const slots: ComponentChild[][] = [];
/** Islands in slots are started by the island around them. */
const nested = new Set<number>();

const MARK = /^fresh-(island|slot):(\d+)$/;

/** A place for the slot's content; its vnodes are there by the time an island renders. */
export function slot(id: number): VNode {
  const Slot: FunctionComponent = () => h(Fragment, null, slots[id]);
  return h(Slot, null);
}

/** Brings the islands of this page to life; the nth component gets the nth props. */
export function boot(
  components: Component[],
  props: Record<string, unknown>[],
): void {
  const islands = components.map((component, i) => h(component, props[i]));
  const templates = [
    ...document.querySelectorAll<HTMLTemplateElement>(
      "template[id^=fresh-slot-]",
    ),
  ];
  [document, ...templates.map((template) => template.content)].forEach(
    collectMarks,
  );

  // Rendering takes the comments out of the page, so all slots are read before it begins.
  for (const { id, content } of templates) {
    slots[Number(id.slice(11))] = toVNodes(content.childNodes, islands);
  }
  for (const [text, open] of marks) {
    const [, kind, id] = text.match(MARK)!;
    if (kind === "slot") slots[Number(id)] = toVNodes(between(open), islands);
  }
  for (const [id, island] of islands.entries()) {
    const open = marks.get(`fresh-island:${id}`);
    if (open && !nested.has(id)) renderBetween(island, open);
  }
}

function collectMarks(root: Node): void {
  const comments = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    const comment = comments.currentNode as Comment;
    if (MARK.test(comment.data) && !marks.has(comment.data)) {
      marks.set(comment.data, comment);
    }
  }
}

/** The nodes from an opening comment to the one that closes it. */
function between(open: Comment): ChildNode[] {
  const nodes: ChildNode[] = [];
  let node = open.nextSibling;
  while (node && !(node instanceof Comment && node.data === `/${open.data}`)) {
    nodes.push(node);
    node = node.nextSibling;
  }
  return nodes;
}

/** Server-rendered nodes as vnodes, so that an island can own them. */
function toVNodes(
  nodes: Iterable<ChildNode>,
  islands: VNode[],
): ComponentChild[] {
  const vnodes: ComponentChild[] = [];
  let inside: Comment | undefined;
  for (const node of nodes) {
    if (inside) {
      if (node instanceof Comment && node.data === `/${inside.data}`) {
        inside = undefined;
      }
    } else if (node instanceof Comment) {
      const [, kind, id] = node.data.match(MARK) ?? [];
      if (kind === "island") {
        nested.add(Number(id));
        vnodes.push(islands[Number(id)]);
        inside = node;
      }
    } else if (node instanceof Text) {
      vnodes.push(node.data);
    } else if (node instanceof Element) {
      vnodes.push(
        h(
          node.localName,
          attributesOf(node),
          toVNodes(node.childNodes, islands),
        ),
      );
    }
  }
  return vnodes;
}

function attributesOf(element: Element): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const { name, value } of element.attributes) {
    // An attribute such as `disabled` is there or not; as a property its empty value would mean false.
    attributes[name] = name in element && (element as never)[name] === true ? true : value;
  }
  return attributes;
}

/**
 * Renders an island over the nodes that the server sent for it. Preact wants one element around them: an object that
 * stands for the stretch between the comments plays that part.
 */
function renderBetween(island: VNode, open: Comment): void {
  const parent = open.parentElement!;
  const nodes = between(open);
  const close = nodes.length > 0 ? nodes[nodes.length - 1].nextSibling : open.nextSibling;
  const container = {
    nodeType: Node.ELEMENT_NODE,
    namespaceURI: parent.namespaceURI,
    parentNode: parent,
    firstChild: nodes[0],
    childNodes: nodes,
    contains: (node: Node) => parent.contains(node),
    insertBefore: (node: Node, before: Node | null) => parent.insertBefore(node, before ?? close),
    removeChild: (node: Node) => parent.removeChild(node),
  };
  render(island, container as unknown as Element);
}
