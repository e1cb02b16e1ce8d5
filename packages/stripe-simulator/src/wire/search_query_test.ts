import assert from "node:assert/strict";
import { parseQuery } from "./search_query.ts";

const ada = { email: "ada@example.com", created: 5, name: null, metadata: { id: "7", "a b": "x" } };
const fields = ["created", "email", "metadata", "metadata[]", "name"];

const queries: [query: string, matches: boolean][] = [
  ['email:"ada@example.com"', true],
  ["email:'ADA@example.com'", true],
  ['email~"example"', true],
  ['-email:"ada@example.com"', false],
  ['metadata["id"]:"7"', true],
  ['metadata["a b"]:"x" AND created>4', true],
  ["created>5", false],
  ["created>=5 created<6", true],
  ['email:"x" OR metadata["id"]:"7"', true],
  ["name:null", false],
  ["-name:null", true],
];

for (const [query, matches] of queries) {
  Deno.test(`parseQuery() of ${query} ${matches ? "matches" : "does not match"}`, () => {
    assert.equal(parseQuery(query, fields)(ada), matches);
  });
}

Deno.test("parseQuery() throws 400 for an unreadable query, a mixture of AND and OR, and an unknown field", () => {
  for (const query of ["email", "", 'email:"a" AND created>1 OR created<3', 'phone:"1"']) {
    assert.throws(() => parseQuery(query, fields), { status: 400, details: { param: "query" } });
  }
});
