/** Formats money, dates, numbers and texts in a language. */

import type { Plan, PlanLimit } from "../api/contract.ts";
import type { Plural, Texts } from "./texts.ts";

/** Stripe uses two decimals for these, although they have none (https://docs.stripe.com/currencies#special-cases). */
const STRIPE_DIGITS: Record<string, number> = { isk: 2, ugx: 2 };

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

  /** `$29` for `2900, "usd"`. `amount` is in the currency's smallest unit. */
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

  return { texts, number, date, counted, money, price, feature, timeWindow, limit, moment };
}

/** Replaces each `{name}` with its value. Names without a value stay as they are. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
