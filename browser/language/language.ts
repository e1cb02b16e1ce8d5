/** How values are written in a language: money, dates, numbers, and the texts around them. */

import type { Plan, PlanLimit } from "../api/contract.ts";
import type { Plural, Texts } from "./texts.ts";

/** Stripe counts these in hundredths, though they have none (https://docs.stripe.com/currencies#special-cases). */
const STRIPE_DIGITS: Record<string, number> = { isk: 2, ugx: 2 };

const DAY_MS = 86_400_000;

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

export type Language = ReturnType<typeof createLanguage>;

/** Puts a language together from its texts. */
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

  /** The form of a text for a number, with the number as `{count}`. */
  const counted = (forms: Plural, count: number) =>
    fill(forms[plurals.select(count)] ?? forms.other, { count: number(count) });

  /** `2900, "usd"` is `$29`; currencies without cents are not divided. */
  function money(amount: number, currency: string): string {
    const format = new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      trailingZeroDisplay: "stripIfInteger",
    });
    const digits = STRIPE_DIGITS[currency] ?? format.resolvedOptions().maximumFractionDigits ?? 2;
    return format.format(amount / 10 ** digits);
  }

  /** `$29 a month`, `$0`. */
  function price({ priceCents, currency, billingInterval }: Plan): string {
    const price = money(priceCents, currency);
    return billingInterval ? fill(texts.price[billingInterval], { price }) : price;
  }

  /** `AI chat messages`. A feature without a name of its own in the texts goes by its code, in words. */
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

  /** A moment in the months ahead, as exact as it matters: `at 2:30 PM` within a day, else `on May 3`. */
  function moment(iso: string): string {
    const isSoon = Date.parse(iso) - Date.now() < DAY_MS;
    return isSoon
      ? fill(texts.moment.time, { time: times.format(new Date(iso)) })
      : fill(texts.moment.date, { date: days.format(new Date(iso)) });
  }

  return { texts, number, date, counted, money, price, feature, timeWindow, limit, moment };
}

/** Puts values in place of the names in braces. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
