import assert from "node:assert/strict";
import { FakeClock } from "./testing/fake_clock.ts";
import { dismissToast, showToast, toasts } from "./toasts.ts";

const texts = () => toasts.value.map(({ text }) => text);

Deno.test("a notice with an id that is shown already takes its place", () => {
  using _clock = new FakeClock();
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  showToast({ id: "stripe", tone: "success", text: "Paid." });
  assert.deepEqual(texts(), ["Paid."]);
  dismissToast("stripe");
});

Deno.test("a notice goes by itself, counted from its last change, and an error stays until dismissed", async () => {
  using clock = new FakeClock();
  showToast({ id: "departure", tone: "error", text: "Failed." });
  showToast({ id: "stripe", tone: "info", text: "Updating…" });
  await clock.pass(9_000);
  showToast({ id: "stripe", tone: "success", text: "Paid." });
  await clock.pass(9_000);
  assert.deepEqual(texts(), ["Failed.", "Paid."]);
  await clock.pass(2_000);
  assert.deepEqual(texts(), ["Failed."]);
  await clock.pass(1_000_000);
  dismissToast("departure");
  assert.deepEqual(texts(), []);
});

Deno.test("dismissing what is gone already does nothing", () => {
  dismissToast("stripe");
  assert.deepEqual(texts(), []);
});
