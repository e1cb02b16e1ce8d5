import assert from "node:assert/strict";
import { decodeForm } from "./form_encoding.ts";

const decodings: [name: string, form: string, expected: unknown][] = [
  ["an empty form", "", {}],
  ["a plain pair", "email=a%40b.co", { email: "a@b.co" }],
  ["nested hashes", "a[b][c]=1&a[b][d]=2", { a: { b: { c: "1", d: "2" } } }],
  ["encoded brackets", "a%5Bb%5D=1", { a: { b: "1" } }],
  [
    "indexed arrays of hashes",
    "items[0][price]=p&items[0][quantity]=2&items[1][price]=q",
    { items: { 0: { price: "p", quantity: "2" }, 1: { price: "q" } } },
  ],
  ["arrays without index are numbered", "expand[]=a&expand[]=b", { expand: { 0: "a", 1: "b" } }],
  ["an empty value", "metadata[a]=", { metadata: { a: "" } }],
  ["plus signs and percent-encoding in values", "name=A+B%26C", { name: "A B&C" }],
  ["a malformed name literally", "a[b=1", { "a[b": "1" }],
];

for (const [name, form, expected] of decodings) {
  Deno.test(`decodeForm() reads ${name}`, () => assert.deepEqual(decodeForm(form), expected));
}

Deno.test("decodeForm() keeps __proto__ as an ordinary parameter", () => {
  const decoded = decodeForm("__proto__[admin]=true");
  assert.deepEqual(Object.keys(decoded), ["__proto__"]);
  assert.equal(Reflect.get({}, "admin"), undefined);
});

Deno.test("decodeForm() refuses a name used both as a value and as a hash", () => {
  assert.throws(() => decodeForm("a=1&a[b]=2"), { status: 400, type: "invalid_request_error" });
  assert.throws(() => decodeForm("a[b]=1&a=2"), { status: 400, type: "invalid_request_error" });
});
