import assert from "node:assert/strict";
import { decodeJson } from "./json_body.ts";

Deno.test("decodeJson() reads a body as if it were a form", () => {
  const body = JSON.stringify({ name: "a", limit: 3, on: true, list: ["x", "y"], metadata: { key: null } });
  assert.deepEqual(decodeJson(body), {
    name: "a",
    limit: "3",
    on: "true",
    list: { 0: "x", 1: "y" },
    metadata: { key: "" },
  });
});

Deno.test("decodeJson() takes an empty body for no parameters", () => {
  assert.deepEqual(decodeJson(""), {});
});

for (const body of ["[1]", "3", "null", "{", "a=b"]) {
  Deno.test(`decodeJson() refuses ${body} with a 400`, () => {
    assert.throws(() => decodeJson(body), { status: 400 });
  });
}
