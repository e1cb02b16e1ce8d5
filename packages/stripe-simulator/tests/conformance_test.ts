import assert from "node:assert/strict";
import { startSimulator } from "../testing.ts";
import { compare } from "./conformance/compare.ts";
import { explained } from "./conformance/explained.ts";
import { findDifferences } from "./conformance/report.ts";

Deno.test("every type of object has the fields of Stripe's official sample, or a documented difference", async () => {
  await using rig = await startSimulator();
  const findings = await findDifferences(rig);
  assert.deepEqual(findings.filter(({ isReturned }) => !isReturned).map(({ object }) => object), []);
  const seen = findings.flatMap(({ object, differences }) => {
    return differences.map(({ path }) => `${object} ${path}`);
  });
  const reasons = Object.entries(explained).flatMap(([object, fields]) => {
    return Object.keys(fields).map((path) => `${object} ${path}`);
  });
  assert.deepEqual(seen.toSorted(), reasons.toSorted());

  const report = await Deno.readTextFile(new URL("./conformance/REPORT.md", import.meta.url));
  for (
    const { path, object } of findings.flatMap(({ object, differences }) => {
      return differences.map(({ path }) => ({ object, path }));
    })
  ) {
    assert.match(report, new RegExp(`\`${RegExp.escape(object)}\` +\\| \`${RegExp.escape(path)}\``));
  }
});

Deno.test("compare() finds missing, extra and differently typed fields at any depth", () => {
  const sample = { id: "a", amount: 1, hash: { list: [{ on: true }] }, gone: 1 };
  const actual = { id: "b", amount: "1", hash: { list: [{ on: "yes", more: 1 }] } };
  assert.deepEqual(compare(sample, actual), [
    { path: "amount", kind: "type" },
    { path: "gone", kind: "missing" },
    { path: "hash.list[].more", kind: "extra" },
    { path: "hash.list[].on", kind: "type" },
  ]);
});

Deno.test("compare() accepts null for any type and ignores hashes with free keys", () => {
  const sample = { a: null, b: 1, metadata: { x: "1" }, list: [] };
  const actual = { a: 1, b: null, metadata: {}, list: [1] };
  assert.deepEqual(compare(sample, actual), []);
});
