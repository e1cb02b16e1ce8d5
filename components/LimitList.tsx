import type { PlanLimit } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { limitKey } from "../browser/plan/limit_key.ts";

/** The limits of a plan, as a list of sentences. */
export default function LimitList({ limits }: { limits: PlanLimit[] }) {
  const { texts, limit } = pageLanguage();
  if (limits.length === 0) return <p class="quiet">{texts.noLimits}</p>;
  return (
    <ul class="limits">
      {limits.map((each) => <li key={limitKey(each)}>{limit(each)}</li>)}
    </ul>
  );
}
