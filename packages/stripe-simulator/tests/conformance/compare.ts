/** A difference between an object and its official sample. */
export interface Difference {
  /** The path of the field; `[]` stands for the elements of an array. */
  path: string;
  /** `missing`: only in the sample. `extra`: only in the object. */
  kind: "missing" | "extra" | "type";
}

/** Hashes with free keys, or with the fields of another object. */
const freeForm = new Set(["metadata", "payload", "object", "previous_attributes"]);

/**
 * Compares fields and types, not values. Null matches every type, because samples have null for everything that is
 * not set. An empty array matches every array.
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
