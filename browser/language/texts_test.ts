import assert from "node:assert/strict";
import { refusals } from "../../billing/stripe/refusals.ts";
import { languages } from "./texts.ts";

Deno.test("every language has a text for each of Stripe's refusals", () => {
  const codes = [...refusals.map(({ code }) => code), "stripe_refused", "request_timed_out"];
  for (const { locale, redirectFailed } of languages) {
    assert.deepEqual(codes.filter((code) => !redirectFailed.codes[code]), [], locale);
  }
});
