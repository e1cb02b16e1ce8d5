import assert from "node:assert/strict";
import { createLanguage, fill } from "./language.ts";
import { billingInfo, free, pro } from "../testing/billing_info.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { languages } from "./texts.ts";

const [english, german] = languages.map(createLanguage);

/** Replaces non-breaking spaces with plain ones. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

for (
  const [amount, currency, expected, inGerman] of [
    [2900, "usd", "$29", "29 $"],
    [2950, "usd", "$29.50", "29,50 $"],
    [123_456, "eur", "€1,234.56", "1.234,56 €"],
    [2900, "jpy", "¥2,900", "2.900 ¥"],
    [2900, "kwd", "KWD 2.900", "2,900 KWD"],
    [290_000, "isk", "ISK 2,900", "2.900 ISK"],
    [290_000, "ugx", "UGX 2,900", "2.900 UGX"],
    [290_050, "rsd", "RSD 2,900.50", "2.900,50 RSD"],
    [290_000, "lak", "LAK 2,900", "2.900 LAK"],
    [290_000, "huf", "HUF 2,900", "2.900 HUF"],
    [2900, "krw", "₩2,900", "2.900 ₩"],
    [2905, "kwd", "KWD 2.905", "2,905 KWD"],
    [0.5, "usd", "$0.005", "0,005 $"],
    [1250.25, "usd", "$12.5025", "12,5025 $"],
    [0.5, "jpy", "¥0.5", "0,5 ¥"],
    [-2900, "usd", "-$29", "-29 $"],
    [0, "usd", "$0", "0 $"],
  ] as const
) {
  Deno.test(`money() formats ${amount} ${currency} as ${expected} in English and ${inGerman} in German`, () => {
    assert.equal(plain(english.money(amount, currency)), expected);
    assert.equal(plain(german.money(amount, currency)), inGerman);
  });
}

for (
  const [feature, windowSeconds, quota, expected] of [
    ["ai_chat_message", 2_592_000, 100, "100 AI chat messages every 30 days"],
    ["ai_chat_message", 86_400, 1, "1 AI chat message every day"],
    ["ai_chat_message", 3_600, 20, "20 AI chat messages every hour"],
    ["ai_chat_message", 5_400, 20, "20 AI chat messages every 90 minutes"],
    ["active_wizard", 0, 20, "20 active wizards at a time"],
    ["active_wizard", 0, 1, "1 active wizard at a time"],
    ["ai_chat_message", 2_592_000, 10_000, "10,000 AI chat messages every 30 days"],
    ["shared_photo", 7, 3, "3 shared photo every 7 seconds"],
  ] as const
) {
  Deno.test(`limit() returns "${expected}"`, () => {
    assert.equal(english.limit({ feature, windowSeconds, period: "rolling", quota }), expected);
  });
}

Deno.test("limit() names the calendar month as the window", () => {
  const limit = {
    feature: "ai_chat_message",
    windowSeconds: 2_592_000,
    period: "calendar_month",
    quota: 5,
  } as const;
  assert.equal(english.limit(limit), "5 AI chat messages every calendar month");
});

Deno.test("limit() uses German number formats and plural forms", () => {
  const limit = {
    feature: "ai_chat_message",
    windowSeconds: 86_400,
    period: "rolling",
    quota: 1,
  } as const;
  assert.equal(german.limit(limit), "1 KI-Nachricht am Tag");
  assert.equal(
    german.limit({ ...limit, windowSeconds: 2_592_000, quota: 10_000 }),
    "10.000 KI-Nachrichten in 30 Tagen",
  );
});

Deno.test("price() names the billing interval, if there is one", () => {
  assert.equal(english.price(pro), "$29 a month");
  assert.equal(english.price({ ...pro, billingInterval: "year" }), "$29 a year");
  assert.equal(english.price(free), "$0");
  assert.equal(plain(german.price(pro)), "29 $ im Monat");
});

Deno.test("charge() names the interval and how many of them", () => {
  assert.equal(english.charge(2900, "usd", "month"), "$29 a month");
  assert.equal(english.charge(2900, "usd", "week", 2), "$29 every 2 weeks");
  assert.equal(english.charge(800, "usd", "day", 30), "$8 every 30 days");
  assert.equal(plain(german.charge(8700, "eur", "month", 3)), "87 € alle 3 Monate");
  assert.equal(plain(german.charge(8700, "eur", "year")), "87 € im Jahr");
});

Deno.test("moment() returns a time within 24 hours and a date later", () => {
  using clock = new FakeClock();
  assert.match(plain(english.moment(clock.in(3_600_000))), /^at \d+:\d\d [AP]M$/);
  assert.match(english.moment(clock.in(20 * 86_400_000)), /^on January \d+$/);
  assert.match(german.moment(clock.in(20 * 86_400_000)), /^am \d+\. Januar$/);
});

Deno.test("fill() leaves a name without a value as it is", () => {
  assert.equal(fill("{plan} until {date}", { plan: "Pro" }), "Pro until {date}");
});

/** The path of each text, with the placeholders it contains. */
function placeholders(texts: object, path = ""): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string"
      ? [[`${path}${key}`, (value.match(/\{\w+\}/g) ?? []).sort().join(" ")] as [string, string]]
      : placeholders(value, `${path}${key}.`)
  );
}

Deno.test("every language has the same texts with the same placeholders", () => {
  const [first, ...others] = languages.map((texts) => placeholders(texts));
  for (const other of others) assert.deepEqual(other, first);
});

Deno.test("every language names the features of every plan", () => {
  for (const { limits } of billingInfo(pro).plans) {
    for (const { feature } of limits) {
      for (const texts of languages) assert.ok(feature in texts.features, `${texts.locale}: ${feature}`);
    }
  }
});
