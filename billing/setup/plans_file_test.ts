import assert from "node:assert/strict";
import { PlansFileError, readPlansFile } from "./plans_file.ts";

const MINIMAL = `currency = "usd"

[features.image]
name = "Images"
unit = "image"
meter_event_name = "dues_image"
included_quantity = 10
unit_price_cents = 0.5

[plans.free]
name = "Free"
rank = 0
is_default = true

[[plans.free.limits]]
feature = "image"
quota = 0
window = "calendar month"

[plans.pro]
name = "Pro"
rank = 1
price_cents = 900
billing_interval = "year"

[[plans.pro.limits]]
feature = "image"
quota = 5
window = "1 minute"

[[plans.pro.limits]]
feature = "image"
quota = 3
window = "at once"
`;

function faultsOf(text: string): string[] {
  try {
    readPlansFile(text);
  } catch (error) {
    if (error instanceof PlansFileError) return error.faults;
    throw error;
  }
  return [];
}

Deno.test("readPlansFile returns features, plans and limits, with defaults filled in", () => {
  const { currency, features, plans: [free, pro] } = readPlansFile(MINIMAL);
  assert.equal(currency, "usd");
  assert.deepEqual(features, [{
    code: "image",
    name: "Images",
    unit: "image",
    meter_event_name: "dues_image",
    included_quantity: 10,
    unit_price_cents: 0.5,
  }]);
  assert.deepEqual(free, {
    code: "free",
    name: "Free",
    rank: 0,
    price_cents: 0,
    trial_days: 0,
    grace_days: 7,
    is_default: true,
    is_active: true,
    limits: [{ feature: "image", quota: 0, window: { interval: "1 month", period: "calendar_month" } }],
  });
  assert.deepEqual(pro.limits.map(({ window }) => window), [
    { interval: "1 minutes", period: "rolling" },
    { interval: "0", period: "rolling" },
  ]);
});

Deno.test("readPlansFile accepts the project's plans.toml", async () => {
  const text = await Deno.readTextFile(new URL("../../plans.toml", import.meta.url));
  assert.deepEqual(readPlansFile(text).plans.map(({ code }) => code), ["free", "pro"]);
});

/** Replaces `from` by `to` in MINIMAL; the result has this fault. */
const faults: [name: string, from: string, to: string, fault: RegExp][] = [
  ["invalid TOML", "rank = 1\n", "rank = \n", /^plans\.toml:22:\d+: /],
  ["a key twice", "rank = 1\n", "rank = 1\nrank = 2\n", /^plans\.toml:23:\d+: /],
  [
    "a text instead of a number",
    "quota = 5",
    'quota = "5"',
    /^plans\.toml:28: plans\.pro\.limits\.0\.quota: should be a whole number/,
  ],
  [
    "a fraction",
    "quota = 3",
    "quota = 3.5",
    /^plans\.toml:33: plans\.pro\.limits\.1\.quota: should be a whole number/,
  ],
  ["a number below zero", "price_cents = 900", "price_cents = -900", /^plans\.toml:23: .*0 or more/],
  ["a number too large to be exact", "quota = 5", "quota = 9007199254740993", /plans\.toml/],
  ["a missing setting", 'unit = "image"\n', "", /^plans\.toml:3: features\.image\.unit: is missing/],
  [
    "an unknown setting",
    "rank = 1",
    "rnak = 1",
    /^plans\.toml:22: plans\.pro\.rnak: is not a setting/,
  ],
  ["an invalid plan code", "[plans.pro]", "[plans.Pro]", /^plans\.toml:20: plans\.Pro: should be a name/],
  ["an unknown window", '"1 minute"', '"1 fortnight"', /^plans\.toml:29: .*window: should be "30 days"/],
  ["a window too short", '"1 minute"', '"9 seconds"', /^plans\.toml:29: /],
  ["a window too long", '"1 minute"', '"367 days"', /^plans\.toml:29: /],
  ["an unknown interval", '"year"', '"week"', /^plans\.toml:24: .*should be "month" or "year"/],
  [
    "a price without an interval",
    'billing_interval = "year"\n',
    "",
    /^plans\.toml:20: plans\.pro\.billing_interval: a plan/,
  ],
  ["an interval without a price", "price_cents = 900\n", "", /^plans\.toml:23: .*a free plan has none/],
  ["a trial without a price", "is_default = true", "is_default = true\ntrial_days = 3", /^plans\.toml:14: /],
  ["no default plan", "is_default = true\n", "", /plans: exactly one plan/],
  [
    "two default plans",
    "price_cents = 900",
    "is_default = true",
    /^plans\.toml:23: plans\.pro\.is_default: exactly one/,
  ],
  ["a rank twice", "rank = 1", "rank = 0", /^plans\.toml:22: plans\.pro\.rank: is the rank of free/],
  [
    "a limit of an unknown feature",
    'feature = "image"\nquota = 5',
    'feature = "imago"\nquota = 5',
    /^plans\.toml:27: .*no feature "imago"/,
  ],
  ["a window twice", '"at once"', '"1 minute"', /^plans\.toml:31: plans\.pro\.limits\.1: .*already/],
  [
    "a meter without a price",
    "unit_price_cents = 0.5\n",
    "",
    /^plans\.toml:3: features\.image\.unit_price_cents: a metered/,
  ],
  [
    "a price without a meter",
    'meter_event_name = "dues_image"\n',
    "",
    /^plans\.toml:7: .*only a metered feature/,
  ],
  ["an invalid currency", '"usd"', '"dollars"', /^plans\.toml:1: currency: should be a currency/],
];

for (const [name, from, to, fault] of faults) {
  Deno.test(`readPlansFile refuses ${name} and names the line`, () => {
    assert.ok(MINIMAL.includes(from));
    const found = faultsOf(MINIMAL.replace(from, to));
    assert.ok(found.some((line) => fault.test(line)), found.join("\n"));
  });
}

Deno.test("readPlansFile refuses a price that Stripe cannot charge in the currency, and takes one that it can", () => {
  const priced = (currency: string, cents: number) =>
    faultsOf(
      MINIMAL.replace('"usd"', `"${currency}"`).replace("price_cents = 900", `price_cents = ${cents}`),
    );
  for (
    const [currency, cents, step] of [["isk", 290_050, 100], ["ugx", 50, 100], ["kwd", 2905, 10]] as const
  ) {
    assert.deepEqual(priced(currency, cents), [
      `plans.toml:23: plans.pro.price_cents: ${currency} is charged in multiples of ${step} of Stripe's smallest unit only`,
    ]);
  }
  for (
    const [currency, cents] of [["isk", 290_000], ["kwd", 2900], ["jpy", 1], ["huf", 12_345], [
      "lak",
      1,
    ]] as const
  ) {
    assert.deepEqual(priced(currency, cents), []);
  }
});

Deno.test("readPlansFile refuses a plan without a limit for a feature", () => {
  const [withoutLimit] = MINIMAL.split("[[plans.free.limits]]");
  const rest = MINIMAL.slice(MINIMAL.indexOf("[plans.pro]"));
  assert.deepEqual(faultsOf(withoutLimit + rest), [
    "plans.toml:10: plans.free: needs a limit for the feature image",
  ]);
});

Deno.test("readPlansFile reports every fault at once, in the order of the file", () => {
  const text = MINIMAL.replace("rank = 1", "rank = -1").replace('"usd"', '"US"').replace(
    "quota = 5",
    "quota = true",
  );
  assert.deepEqual(faultsOf(text).map((line) => line.split(":")[1]), ["1", "22", "28"]);
});
