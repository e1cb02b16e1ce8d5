import { invalidRequest } from "./errors.ts";
import { integer, text } from "./params.ts";

/** A page of a list of the v2 API (https://docs.stripe.com/api-v2-overview#list-pagination). */
export interface PageV2<T> {
  data: T[];
  next_page_url: string | null;
  previous_page_url: string | null;
}

/** The parameters every v2 list takes. `page` is the place to go on from, as an address of a page has it. */
export const paginationV2 = {
  limit: integer({ min: 1, max: 100 }).default(20),
  page: text().optional(),
};

/** One page of a list whose newest object comes first. `query` is what else the addresses of its neighbours must say. */
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
