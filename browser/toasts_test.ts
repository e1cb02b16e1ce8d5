import assert from "node:assert/strict";
import { dismissToast, showToast, toasts } from "./toasts.ts";

const texts = () => toasts.value.map(({ text }) => text);

Deno.test("a notice with an id that is shown already takes its place", () => {
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  showToast({ id: "stripe", tone: "success", text: "Paid." });
  assert.deepEqual(texts(), ["Paid."]);
  dismissToast("stripe");
});

Deno.test("notices of different events stand side by side until each is dismissed", () => {
  showToast({ id: "departure", tone: "error", text: "Failed." });
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  dismissToast("departure");
  assert.deepEqual(texts(), ["Updating…"]);
  dismissToast("stripe");
  assert.deepEqual(texts(), []);
});

Deno.test("dismissing what is gone already does nothing", () => {
  dismissToast("stripe");
  assert.deepEqual(texts(), []);
});
