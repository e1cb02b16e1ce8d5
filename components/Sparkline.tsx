import { fill } from "../browser/language.ts";
import { pageLanguage } from "../browser/page_language.ts";

const HEIGHT = 20;
/** A bar and the gap behind it. */
const STEP = 4;
const BAR = 3;

/** What was used on each of the last days, as a row of bars. The oldest is on the left. */
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
  // A day without use keeps a thin line, so that the row reads as one of days.
  const bars = daily.map((day, n) => {
    const height = 1 + (HEIGHT - 1) * day / Math.max(most, 1);
    return `M${n * STEP} ${HEIGHT}v${-height.toFixed(1)}h${BAR}V${HEIGHT}z`;
  });
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
