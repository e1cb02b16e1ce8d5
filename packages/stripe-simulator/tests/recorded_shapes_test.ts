// The simulator's answers against the shapes of recorded ones, in several states and versions.
import assert from "node:assert/strict";
import { allowedDeviations } from "./conformance/allowed_deviations.ts";
import { conform } from "./conformance/conform.ts";
import { recordedCases } from "./conformance/recorded_cases.ts";
import shapes from "./fixtures/recorded_shapes.json" with { type: "json" };

for (const [name, { version, shape }] of Object.entries(shapes)) {
  Deno.test(`${name}, ${version}: as recorded, or with a reason`, async () => {
    const actual: unknown = await recordedCases[name](version);
    const found = conform(shape, actual).map(({ path, theirs, ours }) => ({
      path,
      what: `${theirs} is ${ours}`,
    }));
    const allowed = allowedDeviations.flatMap(({ paths, of }) =>
      of === undefined || of === name ? paths : []
    );
    const without = found.filter(({ path }) => !allowed.some((pattern) => covers(pattern, path)));
    assert.deepEqual(without, []);
  });
}

Deno.test("every allowed deviation occurs", async () => {
  const found = await Promise.all(
    Object.entries(shapes).map(async ([name, { version, shape }]) => {
      const deviations = conform(shape, await recordedCases[name](version));
      return deviations.map(({ path }) => ({ name, path }));
    }),
  );
  const unused = allowedDeviations.flatMap(({ of, paths }) =>
    paths.filter((pattern) =>
      !found.flat().some(({ name, path }) => (of === undefined || of === name) && covers(pattern, path))
    )
  );
  assert.deepEqual(unused, []);
});

Deno.test("conform() tells null from a value, one word from another and lists by their length", () => {
  const shape = { a: null, b: "active", c: "<id sub>", d: [1], e: "<time>", f: { g: true } };
  const actual = { a: 1, b: "canceled", c: "in_1", d: [], e: 5, f: { h: true } };
  assert.deepEqual(conform(shape, actual).map(({ path }) => path), ["a", "b", "c", "d", "e", "f.g", "f.h"]);
  assert.deepEqual(conform(shape, { a: null, b: "active", c: "sub_1", d: [1], e: 2e9, f: { g: true } }), []);
});

/** `*` stands for any text. */
function covers(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.split("*").map((part) => RegExp.escape(part)).join(".*")}$`).test(path);
}
