import assert from "node:assert/strict";
import { digits, markdown, text } from "./tables.ts";

Deno.test("digits() shows counts whole and measurements with about three digits", () => {
  assert.deepEqual([0, 75, 1234567].map(digits), ["0", "75", "1,234,567"]);
  assert.deepEqual([0.1234, 1.256, 12.34, 123.4, 1234.5].map(digits), [
    "0.12",
    "1.26",
    "12.3",
    "123",
    "1,235",
  ]);
  assert.deepEqual([NaN, Infinity].map(digits), ["–", "–"]);
});

Deno.test("a table has the same cells as Markdown and as text", () => {
  const table = { title: "T", head: ["a", "b"], rows: [["1", "22"]] };
  assert.equal(markdown(table), "**T**\n\n| a | b |\n| --- | --- |\n| 1 | 22 |");
  assert.equal(text(table), "T\na  b\n-  --\n1  22");
});
