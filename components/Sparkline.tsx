import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";

const HEIGHT = 20;
/** The distance from one bar to the next. */
const STEP = 4;

/** The usage on each of the last days as a row of bars, the oldest on the left. */
export default function Sparkline({ feature, daily }: { feature: string; daily: number[] }) {
  const { texts, number } = pageLanguage();
  const most = Math.max(...daily, 0);
  const total = daily.reduce((sum, day) => sum + day, 0);
  const label = fill(texts.meter.history, {
    feature,
    days: number(daily.length),
    total: number(total),
    most: number(most),
  });
  // A day without usage has a bar of height 1, so that every day can be seen.
  const bars = daily.map((day, n) =>
    `M${n * STEP + 2} ${HEIGHT}v-${1 + (HEIGHT - 1) * day / Math.max(most, 1)}`
  );
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${daily.length * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={bars.join("")} />
    </svg>
  );
}
