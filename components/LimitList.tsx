import type { PlanLimit } from "../browser/contract.ts";
import { formatLimit, texts } from "../browser/texts.ts";

/** What a plan includes, in words. */
export default function LimitList({ limits }: { limits: PlanLimit[] }) {
  if (limits.length === 0) return <p class="quiet">{texts.noLimits}</p>;
  return (
    <ul class="limits" aria-label={texts.includes}>
      {limits.map((limit) => <li key={`${limit.feature} ${limit.windowSeconds}`}>{formatLimit(limit)}</li>)}
    </ul>
  );
}
