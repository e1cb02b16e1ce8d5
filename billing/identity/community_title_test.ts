import assert from "node:assert/strict";
import { communityIdSchema } from "../ids.ts";
import { communityTitle } from "./community_title.ts";

const id = communityIdSchema.parse("garden");

for (
  const [given, expected] of [
    ["The Garden", "The Garden"],
    ["  The\n\tGarden ", "The Garden"],
    ["花園 🌻", "花園 🌻"],
    ["a\0b\ud800c", "a b\ufffdc"],
    ["", "garden"],
    [" \n ", "garden"],
    ["\u200b\u200d", "garden"],
    ["\0", "garden"],
    [undefined, "garden"],
    [null, "garden"],
    [7, "garden"],
    [{ en: "Garden" }, "garden"],
    ["x".repeat(200), "x".repeat(200)],
    ["x".repeat(201), "x".repeat(199) + "…"],
    ["🌻".repeat(200), "🌻".repeat(200)],
    ["🌻".repeat(5000), "🌻".repeat(199) + "…"],
    // Five code points that are read as one character.
    ["👩‍👩‍👧".repeat(50), "👩‍👩‍👧".repeat(39) + "…"],
    // One letter with more accents than fit.
    ["a" + "\u0301".repeat(300), "a" + "\u0301".repeat(198) + "…"],
  ] as const
) {
  Deno.test(`communityTitle() of ${JSON.stringify(given)?.slice(0, 30)} is ${JSON.stringify(expected).slice(0, 30)}`, () => {
    const title = communityTitle(given, id);
    assert.equal(title, expected);
    assert.ok([...title].length <= 200 && title.isWellFormed());
  });
}
