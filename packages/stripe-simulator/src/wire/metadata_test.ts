import assert from "node:assert/strict";
import { mergeMetadata } from "./metadata.ts";

Deno.test("mergeMetadata() adds and replaces keys and keeps the others", () => {
  assert.deepEqual(mergeMetadata({ a: "1", b: "2" }, { b: "3", c: "4" }), { a: "1", b: "3", c: "4" });
});

Deno.test("mergeMetadata() removes a key that is sent empty", () => {
  assert.deepEqual(mergeMetadata({ a: "1", b: "2" }, { a: "" }), { b: "2" });
});

Deno.test("mergeMetadata() removes everything when the whole hash is unset", () => {
  assert.deepEqual(mergeMetadata({ a: "1" }, null), {});
});

Deno.test("mergeMetadata() changes nothing when no metadata is sent", () => {
  assert.deepEqual(mergeMetadata({ a: "1" }, undefined), { a: "1" });
});
