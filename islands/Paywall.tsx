import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { billing } from "../browser/plan/billing_store.ts";
import { dismissPaywall, paywall, type QuotaProblem } from "../browser/plan/paywall.ts";
import { stripeRedirect } from "../browser/stripe/stripe_store.ts";
import Note from "../components/Note.tsx";
import RedirectNote from "./RedirectNote.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** Says which limit of the plan was reached and which plan includes more. Announced by screen readers. */
export default function Paywall() {
  const isAway = stripeRedirect.value && stripeRedirect.value.phase !== "opening";
  return (
    <div class="paywall" role="status">
      {paywall.value && (isAway ? <RedirectNote /> : <LimitReached problem={paywall.value} />)}
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
