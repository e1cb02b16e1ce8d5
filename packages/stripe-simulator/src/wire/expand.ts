import { invalidRequest } from "./errors.ts";

/** Turns what stands at a path (an id, or nothing for a field that is only shown on demand) into the whole object. */
export type Resolver = (value: unknown, owner: object) => unknown;

/** For each kind of object (`object: "invoice"`), the paths that can be expanded. Paths may be dotted. */
export type Expandables = Record<string, Record<string, Resolver>>;

const deepest = 4;

/**
 * Answers `expand[]`: replaces ids by their objects and adds the fields that are only shown on demand
 * (https://docs.stripe.com/api/expanding_objects). The result is a copy; the object given stays as it is.
 * Throws a 400 for a path that cannot be expanded.
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

/** Expands the longest field of this kind of object that the path begins with, if there is one. */
function resolveField(node: object, steps: string[], context: Context): object | undefined {
  const fields = context.expandables[String(Reflect.get(node, "object"))] ?? {};
  for (let length = steps.length; length > 0; length--) {
    const field = steps.slice(0, length);
    const resolve = fields[field.join(".")];
    if (!resolve) continue;
    const value = resolve(getIn(node, field), node);
    return setIn(node, field, expandPath(value, steps.slice(length), context));
  }
}

function stepInto(node: object, [step, ...rest]: string[], context: Context): object {
  const child: unknown = Reflect.get(node, step);
  if (typeof child !== "object") throw cannotExpand(context.path);
  return { ...node, [step]: expandPath(child, rest, context) };
}

function getIn(node: unknown, path: string[]): unknown {
  return path.reduce<unknown>((value, key) => isObject(value) ? Reflect.get(value, key) : null, node);
}

/** Sets a value deep inside a copy. Where the way there is missing, there is nothing to expand. */
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
