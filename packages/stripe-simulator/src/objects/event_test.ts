import assert from "node:assert/strict";
import { previousAttributes } from "./event.ts";

const differences: [name: string, before: object, after: object, expected: object][] = [
  ["nothing for equal objects", { a: 1, b: { c: [1] } }, { a: 1, b: { c: [1] } }, {}],
  ["the old value of a changed key", { a: 1, b: 2 }, { a: 1, b: 3 }, { b: 2 }],
  ["null for a key that was not there", { a: 1 }, { a: 1, b: 2 }, { b: null }],
  ["the old value of a key that is gone", { metadata: { a: "1" } }, { metadata: {} }, {
    metadata: { a: "1" },
  }],
  ["only the changed keys of a hash", { d: { x: 1, y: 2 } }, { d: { x: 9, y: 2 } }, { d: { x: 1 } }],
  ["a changed array as a whole", { items: { data: [1, 2] } }, { items: { data: [1, 3] } }, {
    items: { data: [1, 2] },
  }],
];

for (const [name, before, after, expected] of differences) {
  Deno.test(`previousAttributes() holds ${name}`, () =>
    assert.deepEqual(previousAttributes(before, after), expected));
}
