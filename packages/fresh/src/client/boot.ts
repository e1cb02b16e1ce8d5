// Starts the islands of a page. The page's inline script calls boot() with their components and props.
import { type ComponentChild, type ComponentType, Fragment, h, render, type VNode } from "preact";

// The server puts an island and a slot between two such comments each.
const MARK = /^(\/?)fresh-(island|slot):(\d+)$/;

/** Server-rendered content that islands got as props. */
const slots: ComponentChild[][] = [];

function Slot({ id }: { id: number }): VNode {
  return h(Fragment, null, slots[id]);
}

/** A place for a slot's content, which is known by the time an island renders. */
export function slot(id: number): VNode<{ id: number }> {
  return h(Slot, { id });
}

/** Brings the islands of this page to life; the nth component gets the nth props. */
export function boot(
  components: ComponentType<Record<string, unknown>>[],
  props: Record<string, unknown>[],
): void {
  const marks = findMarks();

  // Everything is read before anything is rendered: rendering moves and removes nodes.
  for (const template of document.querySelectorAll<HTMLTemplateElement>("template[data-fresh-slot]")) {
    slots[Number(template.dataset.freshSlot)] = toVNodes(template.content.childNodes);
  }
  for (const { comment, opens, kind, id } of marks) {
    if (opens && kind === "slot") slots[id] = toVNodes(between(comment));
  }
  // What an island renders has no such comments in it, and they would keep its nodes from their places.
  for (const { comment, kind } of marks) {
    if (kind === "slot") comment.remove();
  }
  const containers = marks.filter(({ kind, opens }) => kind === "island" && opens)
    .map(({ comment, id }) => ({ id, container: containerAfter(comment) }));
  for (const { id, container } of containers) render(h(components[id], props[id]), container);
}

function findMarks(): { comment: Comment; opens: boolean; kind: string; id: number }[] {
  const marks = [];
  const comments = document.createTreeWalker(document, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    const comment = comments.currentNode as Comment;
    const match = comment.data.match(MARK);
    if (match) marks.push({ comment, opens: match[1] === "", kind: match[2], id: Number(match[3]) });
  }
  return marks;
}

const closes = (node: Node, open: Comment) => node instanceof Comment && node.data === `/${open.data}`;

/** The nodes from an opening comment to the one that closes it. */
function between(open: Comment): ChildNode[] {
  const nodes: ChildNode[] = [];
  for (let node = open.nextSibling; node && !closes(node, open); node = node.nextSibling) nodes.push(node);
  return nodes;
}

/** Server-rendered nodes as vnodes, so that an island can own them. */
function toVNodes(nodes: Iterable<ChildNode>): ComponentChild[] {
  const vnodes: ComponentChild[] = [];
  for (const node of nodes) {
    if (node instanceof Text) vnodes.push(node.data);
    else if (node instanceof Element) {
      vnodes.push(h(node.localName, attributesOf(node), toVNodes(node.childNodes)));
    }
  }
  return vnodes;
}

function attributesOf(element: Element): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const { name, value } of element.attributes) {
    // An attribute such as `disabled` is there or not; as a property its empty value would mean false.
    attributes[name] = (element as unknown as Record<string, unknown>)[name] === true || value;
  }
  return attributes;
}

/**
 * Preact renders into one element, but an island's nodes have neighbours. An object that stands for the stretch
 * between the comments plays the element's part.
 */
function containerAfter(open: Comment): Element {
  const parent = open.parentElement!;
  const nodes = between(open);
  const close = (nodes.at(-1) ?? open).nextSibling!;
  const isOutside = (node: Node) =>
    (close.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  const container = {
    nodeType: Node.ELEMENT_NODE,
    namespaceURI: parent.namespaceURI,
    parentNode: parent,
    firstChild: nodes[0],
    childNodes: nodes,
    contains: (node: Node) => parent.contains(node),
    // Preact looks for the place of a new node among all that follows, past the end of the island.
    insertBefore: (node: Node, before: Node | null) =>
      parent.insertBefore(node, before === null || isOutside(before) ? close : before),
    removeChild: (node: Node) => parent.removeChild(node),
  };
  return container as unknown as Element;
}
