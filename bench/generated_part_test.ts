import assert from "node:assert/strict";
import { withGenerated } from "./generated_part.ts";

const document = "before\n\n<!-- figures: written by a task -->\n\nold\n\n<!-- end of figures -->\n\nafter\n";

Deno.test("withGenerated() replaces what is between the marks and keeps the rest", () => {
  const once = withGenerated(document, "figures", "new");
  assert.equal(once, document.replace("old", "new"));
  assert.equal(withGenerated(once, "figures", "new"), once);
});

Deno.test("withGenerated() throws when a mark is missing", () => {
  assert.throws(() => withGenerated(document, "tables", "new"), /no marks for tables/);
  assert.throws(
    () => withGenerated(document.replace("<!-- end of figures -->", ""), "figures", "new"),
    /no marks/,
  );
});
