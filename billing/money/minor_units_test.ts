import assert from "node:assert/strict";
import { chargeableStep, mainUnits, minorUnitDigits } from "./minor_units.ts";

// Stripe's lists in full (https://docs.stripe.com/currencies).
const zero = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" ");
const three = "BHD JOD KWD OMR TND".split(" ");

Deno.test("minorUnitDigits() follows Stripe's lists, in either case, and not the browser's data about currencies", () => {
  const others = Intl.supportedValuesOf("currency").filter((code) => ![...zero, ...three].includes(code));
  assert.ok(others.length > 100);
  for (const [codes, digits] of [[zero, 0], [three, 3], [others, 2]] as const) {
    for (const code of codes) {
      assert.deepEqual([minorUnitDigits(code), minorUnitDigits(code.toLowerCase())], [digits, digits], code);
    }
  }
});

Deno.test("chargeableStep() is 100 for ISK and UGX, 10 for three decimals, else 1", () => {
  for (
    const [currency, step] of [["isk", 100], ["UGX", 100], ["kwd", 10], ["usd", 1], ["jpy", 1], [
      "huf",
      1,
    ]] as const
  ) {
    assert.equal(chargeableStep(currency), step, currency);
  }
});

for (
  const [amount, currency, expected] of [
    [2900, "usd", "29"],
    [2950, "usd", "29.5"],
    [5, "usd", "0.05"],
    [0, "usd", "0"],
    [-2950, "usd", "-29.5"],
    [0.5, "usd", "0.005"],
    [1.25, "usd", "0.0125"],
    [0.000000000001, "usd", "0.00000000000001"],
    [99_999_999.99, "usd", "999999.9999"],
    [2900, "jpy", "2900"],
    [0.5, "jpy", "0.5"],
    [290_000, "isk", "2900"],
    [290_000, "ugx", "2900"],
    [290_000, "rsd", "2900"],
    [290_000, "lak", "2900"],
    [290_000, "huf", "2900"],
    [290_000, "twd", "2900"],
    [2900, "kwd", "2.9"],
    [5, "kwd", "0.005"],
  ] as const
) {
  Deno.test(`mainUnits() of ${amount} ${currency} is ${expected}`, () => {
    assert.equal(mainUnits(amount, currency), expected);
  });
}
