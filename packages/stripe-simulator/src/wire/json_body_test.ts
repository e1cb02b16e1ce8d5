import assert from "node:assert/strict";
import { decodeJson } from "./json_body.ts";

Deno.test("decodeJson() decodes a JSON body into the shape of a form", () => {
  const body = JSON.stringify({ name: "a", limit: 3, on: true, list: ["x", "y"], metadata: { key: null } });
  assert.deepEqual(decodeJson(body), {
    name: "a",
    limit: "3",
    on: "true",
    list: { 0: "x", 1: "y" },
    metadata: { key: "" },
  });
});

Deno.test("decodeJson() decodes an empty body as no parameters", () => {
  assert.deepEqual(decodeJson(""), {});
});

for (const body of ["[1]", "3", "null", "{", "a=b"]) {
  Deno.test(`decodeJson() refuses ${body} with a 400`, () => {
    assert.throws(() => decodeJson(body), { status: 400 });
  });
}
