import assert from "node:assert/strict";
import type { Recurring } from "../../objects/price.ts";
import { addIntervals, periodAt } from "./billing_periods.ts";

const every = (interval: Recurring["interval"], interval_count = 1): Recurring => ({
  interval,
  interval_count,
  meter: null,
  trial_period_days: null,
  usage_type: "licensed",
});
const seconds = (iso: string) => Date.parse(iso) / 1000;

const cases: [anchor: string, recurring: Recurring, count: number, expected: string][] = [
  ["2026-01-15T10:00:00Z", every("month"), 1, "2026-02-15T10:00:00Z"],
  ["2026-01-31T10:00:00Z", every("month"), 1, "2026-02-28T10:00:00Z"],
  ["2026-01-31T10:00:00Z", every("month"), 2, "2026-03-31T10:00:00Z"],
  ["2028-01-31T10:00:00Z", every("month"), 1, "2028-02-29T10:00:00Z"],
  ["2026-12-31T23:59:59Z", every("month"), 1, "2027-01-31T23:59:59Z"],
  ["2026-11-30T00:00:00Z", every("month", 3), 1, "2027-02-28T00:00:00Z"],
  ["2028-02-29T00:00:00Z", every("year"), 1, "2029-02-28T00:00:00Z"],
  ["2026-01-01T00:00:00Z", every("week", 2), 1, "2026-01-15T00:00:00Z"],
  ["2026-01-01T00:00:00Z", every("day"), 10, "2026-01-11T00:00:00Z"],
];

for (const [anchor, recurring, count, expected] of cases) {
  const interval = `${count} × ${recurring.interval_count} ${recurring.interval}`;
  Deno.test(`addIntervals() moves ${anchor} by ${interval} to ${expected}`, () => {
    assert.equal(addIntervals(seconds(anchor), recurring, count), seconds(expected));
  });
}

const moments: [moment: string, recurring: Recurring, start: string, end: string][] = [
  ["2026-01-31T10:00:00Z", every("month"), "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"],
  ["2026-02-28T09:59:59Z", every("month"), "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"],
  ["2026-02-28T10:00:00Z", every("month"), "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"],
  ["2027-07-15T00:00:00Z", every("month"), "2027-06-30T10:00:00Z", "2027-07-31T10:00:00Z"],
  ["2025-12-31T10:00:00Z", every("month"), "2025-12-31T10:00:00Z", "2026-01-31T10:00:00Z"],
  ["2030-01-31T10:00:00Z", every("year"), "2030-01-31T10:00:00Z", "2031-01-31T10:00:00Z"],
  ["2026-02-20T10:00:00Z", every("week", 2), "2026-02-14T10:00:00Z", "2026-02-28T10:00:00Z"],
];

for (const [moment, recurring, start, end] of moments) {
  const interval = `${recurring.interval_count} ${recurring.interval}`;
  Deno.test(`periodAt() returns the ${interval} that contains ${moment}`, () => {
    const anchor = seconds("2026-01-31T10:00:00Z");
    assert.deepEqual(periodAt(anchor, recurring, seconds(moment)), {
      start: seconds(start),
      end: seconds(end),
    });
  });
}
