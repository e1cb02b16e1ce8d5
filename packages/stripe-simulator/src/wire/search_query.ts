import { invalidRequest } from "./errors.ts";

/** One condition of a search: `-status:"paid"`, `created>1700000000`, `metadata["id"]:"7"`, `email~"ada"`. */
interface Clause {
  field: string;
  /** The key of `metadata[…]`. */
  key: string | null;
  operator: ":" | "~" | ">" | "<" | ">=" | "<=";
  /** Null for `null`, which asks whether the field is set. */
  value: string | null;
  isNegated: boolean;
}

const clausePattern =
  /^(-)?([a-z_.]+)(?:\[(?:"([^"]*)"|'([^']*)')\])?(:|~|>=|<=|>|<)(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))\s*/i;
const mostClauses = 10;

/**
 * Reads a search query (https://docs.stripe.com/search#search-query-language). Returns a function that tells whether
 * an object matches. Conditions are joined by AND, a space, or OR, but not by both AND and OR. Throws a 400 for a
 * query that cannot be read and for a field that cannot be searched.
 */
export function parseQuery(query: string, fields: string[]): (object: object) => boolean {
  const clauses: Clause[] = [];
  const joints = new Set<string>();
  let rest = query.trim();
  while (rest !== "") {
    const match = clausePattern.exec(rest);
    if (!match) throw unreadable(query);
    clauses.push(toClause(match));
    rest = rest.slice(match[0].length);
    const joint = /^(AND|OR)\s+/i.exec(rest);
    if (rest !== "") joints.add(joint?.[1].toUpperCase() ?? "AND");
    if (joint) rest = rest.slice(joint[0].length);
  }
  if (clauses.length === 0 || clauses.length > mostClauses || joints.size > 1) throw unreadable(query);
  for (const { field, key } of clauses) {
    if (!fields.includes(key === null ? field : `${field}[]`)) throw unsupported(field);
  }
  const isAny = joints.has("OR");
  return (object) => {
    const matches = (clause: Clause) => matchesClause(object, clause);
    return isAny ? clauses.some(matches) : clauses.every(matches);
  };
}

function toClause(match: RegExpExecArray): Clause {
  const [, minus, field, double, single, operator, quoted, apostrophized, bare] = match;
  const text = quoted ?? apostrophized;
  return {
    field,
    key: double ?? single ?? null,
    operator: operator as Clause["operator"],
    value: text === undefined ? (bare === "null" ? null : bare) : text.replace(/\\(.)/g, "$1"),
    isNegated: minus !== undefined,
  };
}

function matchesClause(object: object, clause: Clause): boolean {
  const owner: unknown = clause.field.split(".").reduce<unknown>(read, object);
  const value = clause.key === null ? owner : read(owner, clause.key);
  return compares(value, clause) !== clause.isNegated;
}

function read(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function compares(actual: unknown, { operator, value }: Clause): boolean {
  if (value === null) return actual !== null && actual !== undefined;
  if (actual === null || actual === undefined) return false;
  const [is, wanted] = [String(actual).toLowerCase(), value.toLowerCase()];
  switch (operator) {
    case ":":
      return is === wanted;
    case "~":
      return is.includes(wanted);
    case ">":
      return Number(actual) > Number(value);
    case "<":
      return Number(actual) < Number(value);
    case ">=":
      return Number(actual) >= Number(value);
    case "<=":
      return Number(actual) <= Number(value);
  }
}

function unreadable(query: string) {
  return invalidRequest(`We were unable to parse your search query: \`${query}\`.`, { param: "query" });
}

function unsupported(field: string) {
  return invalidRequest(`Field \`${field}\` is an unsupported search field for this resource.`, {
    param: "query",
  });
}
