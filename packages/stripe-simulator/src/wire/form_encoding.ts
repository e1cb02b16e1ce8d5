import { invalidRequest } from "./errors.ts";

/**
 * A decoded form: strings in nested hashes. Arrays stay hashes with numeric keys until a schema reads them as arrays.
 */
export type FormValue = string | FormHash;
export interface FormHash {
  [key: string]: FormValue;
}

type Node = Map<string, string | Node>;

/**
 * Decodes Stripe's form encoding: `a[b][c]=…`, `items[0][price]=…` and `expand[]=…`. It does not decide whether
 * `a[0]` is an array or a hash; only the schema knows (`metadata[0]` is a hash). Throws a 400 when one name is used
 * both as a value and as a hash.
 */
export function decodeForm(encoded: string): FormHash {
  const root: Node = new Map();
  for (const [name, value] of new URLSearchParams(encoded)) insert(root, name, value);
  return toHash(root);
}

function insert(root: Node, name: string, value: string) {
  const path = splitName(name);
  let node = root;
  path.forEach((part, depth) => {
    const key = part === "" ? positionFor(node, path[depth + 1]) : part;
    const existing = node.get(key);
    if (depth === path.length - 1) {
      if (existing instanceof Map) throw mixedUse(name);
      node.set(key, value);
      return;
    }
    if (typeof existing === "string") throw mixedUse(name);
    const child = existing ?? new Map();
    node.set(key, child);
    node = child;
  });
}

/**
 * Where `[]` puts a value: at the end. The fields of one element follow each other, as in
 * `items[][price]=…&items[][quantity]=…`, so a field that the last element does not have yet goes there.
 */
function positionFor(node: Node, field: string | undefined): string {
  const last = node.get(String(node.size - 1));
  const isOfLast = field !== undefined && field !== "" && last instanceof Map && !last.has(field);
  return String(isOfLast ? node.size - 1 : node.size);
}

/** `a[b][]` becomes `["a", "b", ""]`. A malformed name is taken literally. */
function splitName(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (!match) return [name];
  const inner = [...match[2].matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1]);
  return [match[1], ...inner];
}

/** `Object.fromEntries` defines own properties, so a parameter named `__proto__` stays an ordinary parameter. */
function toHash(node: Node): FormHash {
  return Object.fromEntries(
    [...node].map(([key, value]) => [key, value instanceof Map ? toHash(value) : value]),
  );
}

function mixedUse(name: string) {
  return invalidRequest(`Invalid parameters: ${name} is sent both as a value and as a hash`, { param: name });
}
