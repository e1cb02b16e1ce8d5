import { invalidRequest, noSuch } from "./errors.ts";
import type { List } from "./list.ts";

export interface PageParams {
  limit: number;
  starting_after?: string;
  ending_before?: string;
}

/**
 * Returns one page of a list that is sorted newest first (https://docs.stripe.com/api/pagination). Cursors are
 * exclusive. With `ending_before` the page is the one next to the cursor, still newest first. Throws a 400 for a
 * cursor that is not in the list, and for both cursors at once.
 */
export function paginate<T extends { id: string }>(
  newestFirst: T[],
  params: PageParams,
  url: string,
): List<T> {
  const { limit, starting_after: after, ending_before: before } = params;
  if (after !== undefined && before !== undefined) {
    throw invalidRequest("You can only specify one of these parameters: starting_after, ending_before.");
  }
  if (before !== undefined) {
    const end = position(newestFirst, before, "ending_before");
    const start = Math.max(0, end - limit);
    return page(newestFirst.slice(start, end), start > 0, url);
  }
  const start = after === undefined ? 0 : position(newestFirst, after, "starting_after") + 1;
  return page(newestFirst.slice(start, start + limit), newestFirst.length > start + limit, url);
}

function page<T>(data: T[], hasMore: boolean, url: string): List<T> {
  return { object: "list", data, has_more: hasMore, url };
}

function position(objects: { id: string }[], id: string, param: string): number {
  const index = objects.findIndex((object) => object.id === id);
  if (index < 0) throw noSuch("object", id, { param });
  return index;
}

export type TimeFilter = number | { gt?: number; gte?: number; lt?: number; lte?: number } | undefined;

/** True when a time, in seconds, matches the filter of a list parameter such as `created`. */
export function passes(time: number, filter: TimeFilter): boolean {
  if (filter === undefined) return true;
  if (typeof filter === "number") return time === filter;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = filter;
  return time > gt && time >= gte && time < lt && time <= lte;
}
