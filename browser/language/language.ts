/** Formats money, dates, numbers and texts in a language. */

import { mainUnits, minorUnitDigits } from "../../billing/money/minor_units.ts";
import type { Plan, PlanLimit } from "../api/contract.ts";
import type { Plural, Texts } from "./texts.ts";

type Interval = "day" | "week" | "month" | "year";

const DAY_MS = 86_400_000;

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

export type Language = ReturnType<typeof createLanguage>;

/** Creates the formatters of a language from its texts. */
export function createLanguage(texts: Texts) {
  const { locale } = texts;
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const dates = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const days = new Intl.DateTimeFormat(locale, { month: "long", day: "numeric" });
  const times = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "numeric" });

  const number = (value: number) => numbers.format(value);

  /** `May 3, 2027`, in the reader's time zone. */
  const date = (iso: string) => dates.format(new Date(iso));

  /** The plural form of a text for this number, with `{count}` filled in. */
  const counted = (forms: Plural, count: number) =>
    fill(forms[plurals.select(count)] ?? forms.other, { count: number(count) });

  /** `$29` for `2900, "usd"`, `$0.005` for `0.5, "usd"`. `amount` is in the currency's smallest unit. */
  function money(amount: number, currency: string): string {
    const exact = mainUnits(amount, currency);
    const minimumFractionDigits = minorUnitDigits(currency);
    const decimals = exact.split(".")[1]?.length ?? 0;
    return new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      minimumFractionDigits,
      maximumFractionDigits: Math.max(minimumFractionDigits, decimals),
      trailingZeroDisplay: "stripIfInteger",
    }).format(exact as unknown as number); // exact as a text, which the types do not know
  }

  /** `$29 a month`, `$80 every 3 months`. */
  function charge(amount: number, currency: string, interval: Interval, intervalCount = 1): string {
    return fill(counted(texts.price[interval], intervalCount), { price: money(amount, currency) });
  }

  /** The price of a plan on offer: `$29 a month`, `$0`. */
  function price({ priceCents, currency, billingInterval }: Plan): string {
    return billingInterval ? charge(priceCents, currency, billingInterval) : money(priceCents, currency);
  }

  /** `20%` */
  const percent = (value: number) =>
    new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 2 }).format(value / 100);

  /** `AI chat messages`. A feature that the texts do not name is shown by its code, with spaces. */
  function feature(code: string, count: number): string {
    const forms = texts.features[code];
    return forms ? counted(forms, count) : code.replaceAll("_", " ");
  }

  /** `every 30 days`, `every calendar month`, `at a time`. */
  function timeWindow({ windowSeconds, period }: Pick<PlanLimit, "windowSeconds" | "period">): string {
    if (windowSeconds === 0) return texts.window.atOnce;
    if (period === "calendar_month") return texts.window.calendarMonth;
    const [unit, size] = UNITS.find(([, size]) => windowSeconds % size === 0) ?? UNITS[3];
    return counted(texts.window[unit], windowSeconds / size);
  }

  /** `100 AI chat messages every 30 days`, `1 active wizard at a time`. */
  function limit(planLimit: PlanLimit): string {
    return fill(texts.limit, {
      count: number(planLimit.quota),
      feature: feature(planLimit.feature, planLimit.quota),
      window: timeWindow(planLimit),
    });
  }

  /** A time in the next months: `at 2:30 PM` within 24 hours, else `on May 3`. */
  function moment(iso: string): string {
    const isSoon = Date.parse(iso) - Date.now() < DAY_MS;
    return isSoon
      ? fill(texts.moment.time, { time: times.format(new Date(iso)) })
      : fill(texts.moment.date, { date: days.format(new Date(iso)) });
  }

  return { texts, number, percent, date, counted, money, charge, price, feature, timeWindow, limit, moment };
}

/** Replaces each `{name}` with its value. Names without a value stay as they are. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
