import type { FeatureUsage } from "../browser/api/contract.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { limitKey } from "../browser/plan/limit_key.ts";
import Sparkline from "./Sparkline.tsx";

/** The used share of a limit from which the meter warns. */
const WARN_FROM = 0.8;

/** How much of a limit is used, when more becomes available, and the usage of the last days. */
export default function UsageMeter({ usage }: { usage: FeatureUsage }) {
  const { texts: { meter }, feature, timeWindow, number, counted, moment } = pageLanguage();
  const { used, quota, resetsAt, daily } = usage;
  const id = limitKey(usage);
  const name = feature(usage.feature, 2);
  const share = Math.min(used / Math.max(quota, 1), 1);
  const figures = fill(meter.usedOf, { used: number(used), limit: number(quota) });
  return (
    <div class="meter" data-level={used >= quota ? "out" : share >= WARN_FROM ? "low" : "fine"}>
      <p>
        <strong id={id}>{name}</strong> <span class="quiet">{timeWindow(usage)}</span>
      </p>
      <p class="figures">
        <span>{figures}</span>{" "}
        <span class="standing">
          {used >= quota ? meter.usedUp : counted(meter.left, quota - used)}
        </span>
      </p>
      <div
        class="bar"
        role="meter"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuenow={Math.min(used, quota)}
        aria-valuemax={quota}
        aria-valuetext={figures}
      >
        <span style={{ width: `${100 * share}%` }} />
      </div>
      {daily.length > 0 && (
        <p class="history quiet">
          <span>{resetsAt ? fill(meter.resets, { when: moment(resetsAt) }) : meter.unused}</span>
          <Sparkline feature={name} daily={daily} />
        </p>
      )}
    </div>
  );
}
