// The README's table of endpoints is the one that the code makes.
import assert from "node:assert/strict";
import { coverageTable } from "./coverage/coverage_table.ts";

const cellsOf = (table: string) =>
  table.split("\n").filter((line) => line.startsWith("|") && !/^\|[\s|:-]*\|$/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

Deno.test("the table of endpoints in the README is up to date", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const [, shown = ""] = /<!-- coverage -->([^]*)<!-- \/coverage -->/.exec(readme) ?? [];
  assert.deepEqual(cellsOf(shown), cellsOf(await coverageTable()));
});

Deno.test("the table of endpoints knows the SDK's endpoints and their parameters", async () => {
  const table = cellsOf(await coverageTable());
  const customers = table.find(([resource]) => resource === "Customers")?.join(" ");
  assert.match(customers ?? "", /retrieve.*create \d+\/\d+/);
  assert.ok(table.every((cells) => cells.length === 4));
});
