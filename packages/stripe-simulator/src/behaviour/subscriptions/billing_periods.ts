import type { Recurring } from "../../objects/price.ts";
import type { Period } from "../../objects/subscription.ts";

const daySeconds = 86_400;

/** Average lengths: the first guess in a search for the exact period. */
const averageSeconds: Record<string, number> = {
  day: daySeconds,
  week: 7 * daySeconds,
  month: 30.44 * daySeconds,
  year: 365.25 * daySeconds,
};

/** The period that begins at `start` and lasts one interval of the price. */
export function firstPeriod(start: number, recurring: Recurring): Period {
  return { start, end: addIntervals(start, recurring, 1) };
}

/** The period that contains `moment`, counted in intervals from the anchor. */
export function periodAt(anchor: number, recurring: Recurring, moment: number): Period {
  const length = averageSeconds[recurring.interval] * recurring.interval_count;
  let count = Math.floor((moment - anchor) / length);
  while (addIntervals(anchor, recurring, count) > moment) count--;
  while (addIntervals(anchor, recurring, count + 1) <= moment) count++;
  return { start: addIntervals(anchor, recurring, count), end: addIntervals(anchor, recurring, count + 1) };
}

/**
 * The time `count` intervals after the anchor, in seconds. Months and years keep the anchor's day. In a shorter month
 * it is the last day: 31 January, 28 February, 31 March.
 */
export function addIntervals(anchor: number, recurring: Recurring, count: number): number {
  const amount = recurring.interval_count * count;
  switch (recurring.interval) {
    case "day":
      return anchor + amount * daySeconds;
    case "week":
      return anchor + amount * 7 * daySeconds;
    case "month":
      return addMonths(anchor, amount);
    case "year":
      return addMonths(anchor, amount * 12);
    default:
      throw new Error(`Cannot add intervals of ${recurring.interval}`);
  }
}

function addMonths(anchor: number, months: number): number {
  const date = new Date(anchor * 1000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  date.setUTCDate(Math.min(day, daysInMonth(date)));
  return date.getTime() / 1000;
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

/** The share of an amount for the part of its period from `from` on, in whole cents. */
export function shareOf(amount: number, period: Period, from: number): number {
  const left = (period.end - from) / (period.end - period.start);
  return Math.round(amount * Math.min(1, Math.max(0, left)));
}
