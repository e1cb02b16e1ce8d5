/** A difference between an object and the shape that Stripe's own had. */
export interface Deviation {
  path: string;
  /** What Stripe's has and what the object has, as JSON. */
  theirs: string;
  ours: string;
}

/**
 * Compares an object with a recorded shape. Unlike `compare`, a null only equals a null, and words, numbers and
 * booleans must be the same. In a shape, `<id sub>` stands for an id with this prefix, `<time>` for a Unix time,
 * `<url>` and `<text>` for any of these. Lists must have the same length.
 */
export function conform(shape: unknown, actual: unknown, path = ""): Deviation[] {
  if (isHash(shape) && isHash(actual)) {
    const keys = [...new Set([...Object.keys(shape), ...Object.keys(actual)])].sort();
    return keys.flatMap((key) => {
      const inner = path === "" ? key : `${path}.${key}`;
      if (!(key in actual)) return [{ path: inner, theirs: show(shape[key]), ours: "missing" }];
      if (!(key in shape)) return [{ path: inner, theirs: "missing", ours: show(actual[key]) }];
      return conform(shape[key], actual[key], inner);
    });
  }
  if (Array.isArray(shape) && Array.isArray(actual) && shape.length === actual.length) {
    return shape.flatMap((element, index) => conform(element, actual[index], `${path}[${index}]`));
  }
  return matches(shape, actual) ? [] : [{ path, theirs: show(shape), ours: show(actual) }];
}

function matches(shape: unknown, actual: unknown): boolean {
  const [, kind, prefix] = typeof shape === "string" ? /^<(\w+)(?: (\w+))?>$/.exec(shape) ?? [] : [];
  switch (kind) {
    case "id":
      return typeof actual === "string" && (prefix === undefined || actual.startsWith(`${prefix}_`));
    case "time":
      return typeof actual === "number" && actual > 1e9;
    case "url":
      return typeof actual === "string" && URL.canParse(actual);
    case "text":
      return typeof actual === "string";
    default:
      return JSON.stringify(shape) === JSON.stringify(actual);
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
