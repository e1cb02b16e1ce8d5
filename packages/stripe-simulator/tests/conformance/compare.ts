/** One way in which an object differs from its official sample. */
export interface Difference {
  /** The field, with dots; `[]` stands for the elements of an array. */
  path: string;
  /** `missing` is a field that only the sample has, `extra` one that only the object has. */
  kind: "missing" | "extra" | "type";
}

/** Hashes whose keys are the user's, or another object's. */
const freeForm = new Set(["metadata", "payload", "object", "previous_attributes"]);

/**
 * Compares the fields and their types, not their values. Null goes with every type, since samples have null wherever
 * nothing was set, and an empty array says nothing of its elements.
 */
export function compare(sample: unknown, actual: unknown, path = ""): Difference[] {
  if (sample === null || actual === null) return [];
  if (Array.isArray(sample) && Array.isArray(actual)) return compareArrays(sample, actual, path);
  if (typeOf(sample) !== typeOf(actual)) return [{ path, kind: "type" }];
  return typeof sample === "object" && typeof actual === "object" ? compareHashes(sample, actual!, path) : [];
}

function compareArrays(sample: unknown[], actual: unknown[], path: string): Difference[] {
  if (sample.length === 0 || actual.length === 0) return [];
  return compare(sample[0], actual[0], `${path}[]`);
}

function compareHashes(sample: object, actual: object, path: string): Difference[] {
  const keys = [...new Set([...Object.keys(sample), ...Object.keys(actual)])].sort();
  return keys.flatMap((key): Difference[] => {
    const inner = path === "" ? key : `${path}.${key}`;
    if (!Object.hasOwn(actual, key)) return [{ path: inner, kind: "missing" }];
    if (!Object.hasOwn(sample, key)) return [{ path: inner, kind: "extra" }];
    const [ours, theirs]: unknown[] = [Reflect.get(actual, key), Reflect.get(sample, key)];
    if (freeForm.has(key) && typeof theirs === "object") return [];
    return compare(theirs, ours, inner);
  });
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}
