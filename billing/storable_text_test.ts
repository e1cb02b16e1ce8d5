import assert from "node:assert/strict";
import { isStorableJson } from "./storable_text.ts";

Deno.test("isStorableJson() finds NUL and half surrogate pairs in texts and names, however deep they are", () => {
  const nested = (inner: string, depth = 50_000) => JSON.parse("[".repeat(depth) + inner + "]".repeat(depth));
  for (
    const fine of [
      null,
      7,
      true,
      "",
      "花園 🌻 \u0001 \uffff",
      ["a"],
      { a: { b: ["c"] } },
      nested('"x"'),
      undefined,
    ]
  ) {
    assert.equal(isStorableJson(fine), true);
  }
  for (
    const wrong of [
      "\0",
      "a\ud83c",
      "\udf3b\ud83c",
      ["a", ["\0"]],
      { "\0": 1 },
      { a: { "\ud800": null } },
      JSON.parse('{"a":["\\u0000"]}'),
      nested('"\\udfff"'),
    ]
  ) assert.equal(isStorableJson(wrong), false);
});
