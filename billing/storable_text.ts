/** Text that Postgres can store: without NUL, and without half of a surrogate pair, which UTF-8 cannot encode. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes("\0");

/** Whether every text within a JSON value is storable, names of members included, however deep it is nested. */
export function isStorableJson(json: unknown): boolean {
  const open = [json];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string" && !isStorable(value)) return false;
    if (typeof value !== "object" || value === null) continue;
    for (const [name, member] of Object.entries(value)) {
      if (!isStorable(name)) return false;
      open.push(member);
    }
  }
  return true;
}
