import assert from "node:assert/strict";
import { navigateTop } from "./navigate_top.ts";

const URL = "https://checkout.stripe.com/c/pay/cs_test_1";

/** A top window that lets the frame navigate it, or throws. */
function topWindow(error?: Error) {
  const visited: string[] = [];
  const location = {
    set href(url: string) {
      if (error) throw error;
      visited.push(url);
    },
  };
  return { visited, top: { location } as Window };
}

Deno.test("navigateTop() navigates the top window and does not ask the parent", () => {
  const { visited, top } = topWindow();
  const asked: string[] = [];
  navigateTop(URL, (url) => asked.push(url), top);
  assert.deepEqual([visited, asked], [[URL], []]);
});

Deno.test("navigateTop() asks the parent when the browser refuses", () => {
  const { visited, top } = topWindow(new DOMException("refused", "SecurityError"));
  const asked: string[] = [];
  navigateTop(URL, (url) => asked.push(url), top);
  assert.deepEqual([visited, asked], [[], [URL]]);
});

Deno.test("navigateTop() rethrows any error other than a SecurityError", () => {
  const { top } = topWindow(new DOMException("bad address", "SyntaxError"));
  assert.throws(() => navigateTop(URL, () => assert.fail("asked the parent"), top), { name: "SyntaxError" });
});
