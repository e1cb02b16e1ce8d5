import { invalidRequest } from "./errors.ts";
import { integer, text } from "./params.ts";

/** A page of a v2 list (https://docs.stripe.com/api-v2-overview#list-pagination). */
export interface PageV2<T> {
  data: T[];
  next_page_url: string | null;
  previous_page_url: string | null;
}

/** The parameters of every v2 list. `page` is the offset, as it appears in the page URLs. */
export const paginationV2 = {
  limit: integer({ min: 1, max: 100 }).default(20),
  page: text().optional(),
};

/**
 * Returns one page of a list that is sorted newest first. `query` holds the other parameters to repeat in the page
 * URLs. Throws a 400 for an invalid `page`.
 */
export function paginateV2<T>(
  newestFirst: T[],
  { limit, page }: { limit: number; page?: string },
  path: string,
  query: [name: string, value: string][] = [],
): PageV2<T> {
  const start = page === undefined ? 0 : Number(page);
  if (!Number.isInteger(start) || start < 0) throw invalidRequest(`Invalid page: ${page}`, { param: "page" });
  const address = (place: number) => {
    return `${path}?${new URLSearchParams([...query, ["limit", String(limit)], ["page", String(place)]])}`;
  };
  return {
    data: newestFirst.slice(start, start + limit),
    next_page_url: start + limit < newestFirst.length ? address(start + limit) : null,
    previous_page_url: start > 0 ? address(Math.max(0, start - limit)) : null,
  };
}
