import assert from "node:assert/strict";
import { growthFault, type Reading } from "./growth.ts";

const at = (communities: number, buffers: number | null, milliseconds = 1): Reading => ({
  communities,
  buffers,
  milliseconds,
  rows: 1,
  exclusive: [],
});

Deno.test("growthFault() allows a flat cost a few pages more for deeper trees, and no more", () => {
  assert.equal(growthFault("flat", [at(1_000, 20), at(100_000, 60)]), null);
  assert.equal(growthFault("flat", [at(1_000, 20), at(100_000, 100)]), "20 → 100 buffers");
  assert.equal(growthFault("flat", [at(1_000, 1000), at(100_000, 1600)]), "1000 → 1600 buffers");
});

Deno.test("growthFault() finds a flat cost that takes longer although it reads no more", () => {
  assert.equal(growthFault("flat", [at(1_000, 20, 2), at(100_000, 20, 25)]), null);
  assert.equal(growthFault("flat", [at(1_000, 20, 2), at(100_000, 20, 27)]), "2.0 → 27.0 ms");
});

Deno.test("growthFault() lets a cost of the whole grow with the communities, within its limit for each", () => {
  assert.equal(growthFault({ whole: 0.1 }, [at(1_000, 90), at(100_000, 10_000)]), null);
  assert.equal(
    growthFault({ whole: 0.1 }, [at(1_000, 90), at(100_000, 20_000)]),
    "0.20 buffers a community instead of 0.1",
  );
});

Deno.test("growthFault() finds what was cancelled, whatever is expected", () => {
  for (const expect of ["flat", { whole: 100 }] as const) {
    const fault = growthFault(expect, [at(1_000, 10), at(100_000, null, 15_000)]);
    assert.equal(fault, "cancelled after 15000 ms at 100000 communities");
  }
});
