import { billing, departure } from "../browser/plan/store.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { dismissPaywall, paywall, type QuotaProblem } from "../browser/plan/paywall.ts";
import Note from "../components/Note.tsx";
import DepartureNote from "./DepartureNote.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** What a limit of the plan stands in the way of, and what lifts it. Read aloud by screen readers as it comes. */
export default function Paywall() {
  const isAway = departure.value && departure.value.phase !== "opening";
  return (
    <div class="paywall" role="status">
      {paywall.value && (isAway ? <DepartureNote /> : <LimitReached problem={paywall.value} />)}
    </div>
  );
}

function LimitReached({ problem }: { problem: QuotaProblem }) {
  const { texts: { paywall: texts }, limit, moment, number } = pageLanguage();
  const info = billing.value.status === "ready" ? billing.value.info : null;
  const larger = info?.plans.find(({ code }) => code === problem.upgradePlan);
  const sentences = [fill(texts.limit, {
    limit: limit(problem),
    used: number(problem.used),
  })];
  const lifted = larger?.limits.find(({ feature, windowSeconds }) =>
    feature === problem.feature && windowSeconds === problem.windowSeconds
  );
  if (larger && lifted) sentences.push(fill(texts.lifts, { plan: larger.name, limit: limit(lifted) }));
  if (problem.resetsAt) sentences.push(fill(texts.resets, { when: moment(problem.resetsAt) }));
  return (
    <Note title={texts.title} text={sentences.join(" ")}>
      <div class="actions">
        {info && larger && <UpgradeButton plan={larger} info={info} />}
        <button type="button" class="button plain" onClick={dismissPaywall}>{texts.dismiss}</button>
      </div>
    </Note>
  );
}
