import assert from "node:assert/strict";
import { type PageParams, paginate, passes, type TimeFilter } from "./pagination.ts";

const objects = ["e", "d", "c", "b", "a"].map((id) => ({ id }));

const pages: [params: PageParams, ids: string, hasMore: boolean][] = [
  [{ limit: 2 }, "ed", true],
  [{ limit: 5 }, "edcba", false],
  [{ limit: 2, starting_after: "d" }, "cb", true],
  [{ limit: 2, starting_after: "c" }, "ba", false],
  [{ limit: 2, starting_after: "a" }, "", false],
  [{ limit: 2, ending_before: "b" }, "dc", true],
  [{ limit: 2, ending_before: "c" }, "ed", false],
  [{ limit: 2, ending_before: "e" }, "", false],
];

for (const [params, ids, hasMore] of pages) {
  Deno.test(`paginate() answers ${JSON.stringify(params)} with "${ids}"`, () => {
    const page = paginate(objects, params, "/v1/things");
    assert.equal(page.data.map((object) => object.id).join(""), ids);
    assert.equal(page.has_more, hasMore);
    assert.equal(page.url, "/v1/things");
  });
}

Deno.test("paginate() refuses a cursor that is not in the list", () => {
  assert.throws(() => paginate(objects, { limit: 2, starting_after: "z" }, "/"), {
    status: 400,
    details: { code: "resource_missing", param: "starting_after" },
  });
});

Deno.test("paginate() refuses both cursors at once", () => {
  assert.throws(() => paginate(objects, { limit: 2, starting_after: "a", ending_before: "b" }, "/"), {
    status: 400,
  });
});

const filters: [filter: TimeFilter, expected: boolean][] = [
  [undefined, true],
  [10, true],
  [11, false],
  [{ gt: 10 }, false],
  [{ gte: 10 }, true],
  [{ lt: 10 }, false],
  [{ lte: 10 }, true],
  [{ gte: 5, lt: 11 }, true],
];

for (const [filter, expected] of filters) {
  Deno.test(`passes() says ${expected} for 10 and ${JSON.stringify(filter)}`, () => {
    assert.equal(passes(10, filter), expected);
  });
}
