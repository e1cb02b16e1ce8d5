import assert from "node:assert/strict";
import { storableJson } from "./storable_payload.ts";

Deno.test("storableJson() replaces NUL and halves of surrogate pairs, and nothing else", () => {
  const texts: [string, string][] = [
    ["\u0000", "\ufffd"],
    ["\ud800x", "\ufffdx"],
    ["\udc00\ud800", "\ufffd\ufffd"],
    ["\\u0000", "\\u0000"], // a backslash, and text that looks like an escape
    ["\\\u0000", "\\\ufffd"],
    ['😀 \ud83d\ude00 é \u0001 \\ " \n', '😀 \ud83d\ude00 é \u0001 \\ " \n'],
  ];
  for (const [text, stored] of texts) {
    assert.equal(JSON.parse(storableJson(JSON.stringify({ text }))).text, stored);
  }
  assert.equal(JSON.parse(storableJson('"\\uD83D\\uDE00 \\uD83D"')), "😀 \ufffd");
});

Deno.test("storableJson() returns other JSON as it is", () => {
  const json = '{ "a" : [1e400, "\\u00e9", "\\/"] }';
  assert.equal(storableJson(json), json);
});
