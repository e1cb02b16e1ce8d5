import { invalidRequest } from "./errors.ts";

/** Returns the object for the value at a path: an id, or nothing for a field that is only shown on demand. */
export type Resolver = (value: unknown, owner: object) => unknown;

/**
 * The paths that can be expanded, by the object's type (`object: "invoice"`). A path can have dots, and `list[].field` is a
 * field of each element of a list.
 */
export type Expandables = Record<string, Record<string, Resolver>>;

const deepest = 4;

/**
 * Applies `expand[]`: replaces ids by their objects and adds the fields that are only shown on demand
 * (https://docs.stripe.com/api/expanding_objects). Returns a copy and leaves the given object unchanged. Throws a 400
 * for a path that cannot be expanded.
 */
export function expand(object: unknown, paths: string[], expandables: Expandables): unknown {
  return paths.reduce((expanded, path) => {
    const steps = path.split(".");
    if (steps.length > deepest) {
      throw invalidRequest(`You cannot expand more than ${deepest} levels of a property (${path})`, {
        param: "expand",
      });
    }
    return expandPath(expanded, steps, { path, expandables });
  }, object);
}

interface Context {
  path: string;
  expandables: Expandables;
}

function expandPath(node: unknown, steps: string[], context: Context): unknown {
  if (steps.length === 0 || node === null) return node;
  if (Array.isArray(node)) return node.map((element) => expandPath(element, steps, context));
  if (typeof node !== "object") throw cannotExpand(context.path);
  return resolveField(node, steps, context) ?? stepInto(node, steps, context);
}

/** Expands the longest expandable field that the path begins with. Undefined when there is none. */
function resolveField(node: object, steps: string[], context: Context): object | undefined {
  const fields = context.expandables[String(Reflect.get(node, "object"))] ?? {};
  for (let length = steps.length; length > 0; length--) {
    const field = steps.slice(0, length);
    const inEach = fields[`${field[0]}[].${field.slice(1).join(".")}`];
    if (inEach) {
      return resolveInEach(node, field, inEach, (value) => expandPath(value, steps.slice(length), context));
    }
    const resolve = fields[field.join(".")];
    if (!resolve) continue;
    const value = resolve(getIn(node, field), node);
    return setIn(node, field, expandPath(value, steps.slice(length), context));
  }
}

/** Expands a field of each element of a list: `total_discount_amounts[].discount`. */
function resolveInEach(
  node: object,
  [list, ...field]: string[],
  resolve: Resolver,
  expandRest: (value: unknown) => unknown,
): object {
  const elements: unknown = Reflect.get(node, list);
  if (!Array.isArray(elements)) return node;
  const expanded = elements.map((element) =>
    isObject(element) ? setIn(element, field, expandRest(resolve(getIn(element, field), element))) : element
  );
  return { ...node, [list]: expanded };
}

function stepInto(node: object, [step, ...rest]: string[], context: Context): object {
  const child: unknown = Reflect.get(node, step);
  if (typeof child !== "object") throw cannotExpand(context.path);
  return { ...node, [step]: expandPath(child, rest, context) };
}

function getIn(node: unknown, path: string[]): unknown {
  return path.reduce<unknown>((value, key) => isObject(value) ? Reflect.get(value, key) : null, node);
}

/** Sets a nested value in a copy. When a parent of the value is missing, the object is returned unchanged. */
function setIn(node: object, [key, ...rest]: string[], value: unknown): object {
  if (rest.length === 0) return { ...node, [key]: value };
  const child: unknown = Reflect.get(node, key);
  return isObject(child) ? { ...node, [key]: setIn(child, rest, value) } : node;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function cannotExpand(path: string) {
  return invalidRequest(`This property cannot be expanded (${path}).`, { param: "expand" });
}
