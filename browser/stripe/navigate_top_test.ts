import assert from "node:assert/strict";
import { leaveTo } from "./navigate_top.ts";

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

Deno.test("leaveTo() moves the top window and then asks nobody else", () => {
  const { visited, top } = topWindow();
  const asked: string[] = [];
  leaveTo(URL, (url) => asked.push(url), top);
  assert.deepEqual([visited, asked], [[URL], []]);
});

Deno.test("leaveTo() asks the parent where the browser refuses", () => {
  const { visited, top } = topWindow(new DOMException("refused", "SecurityError"));
  const asked: string[] = [];
  leaveTo(URL, (url) => asked.push(url), top);
  assert.deepEqual([visited, asked], [[], [URL]]);
});

Deno.test("leaveTo() does not take another fault for a refusal", () => {
  const { top } = topWindow(new DOMException("bad address", "SyntaxError"));
  assert.throws(() => leaveTo(URL, () => assert.fail("asked the parent"), top), { name: "SyntaxError" });
});
