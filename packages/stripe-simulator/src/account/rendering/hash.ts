/** A JSON object of which only some keys are known. */
export type Hash = Record<string, unknown>;

export function isHash(value: unknown): value is Hash {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The hash at a key. Undefined when there is none. */
export function hashAt(hash: Hash | undefined, key: string): Hash | undefined {
  const value = hash?.[key];
  return isHash(value) ? value : undefined;
}

/** The hashes in the list at a key. */
export function hashesAt(hash: Hash | undefined, key: string): Hash[] {
  const value = hash?.[key];
  return Array.isArray(value) ? value.filter(isHash) : [];
}

/** A copy without these keys. */
export function without(hash: Hash, ...keys: string[]): Hash {
  return Object.fromEntries(Object.entries(hash).filter(([key]) => !keys.includes(key)));
}
