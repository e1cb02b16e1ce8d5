import assert from "node:assert/strict";
import { dismissToast, showToast, toasts } from "./toasts.ts";

const texts = () => toasts.value.map(({ text }) => text);

Deno.test("showToast() replaces the notice with the same id", () => {
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  showToast({ id: "stripe", tone: "success", text: "Paid." });
  assert.deepEqual(texts(), ["Paid."]);
  dismissToast("stripe");
});

Deno.test("showToast() keeps notices with different ids until each is dismissed", () => {
  showToast({ id: "redirect", tone: "error", text: "Failed." });
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  dismissToast("redirect");
  assert.deepEqual(texts(), ["Updating…"]);
  dismissToast("stripe");
  assert.deepEqual(texts(), []);
});

Deno.test("dismissToast() does nothing when no notice has the id", () => {
  dismissToast("stripe");
  assert.deepEqual(texts(), []);
});
