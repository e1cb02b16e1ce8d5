import type { BillingInfo } from "../browser/contract.ts";
import { describeSubscription, formatPrice, texts } from "../browser/texts.ts";
import ManageBillingButton from "../islands/ManageBillingButton.tsx";
import LimitList from "./LimitList.tsx";

/** The plan the community has now, and how its subscription stands. */
export default function PlanCard({ info }: { info: BillingInfo }) {
  const { plan, limits, isAdmin, community } = info;
  const note = describeSubscription(info);
  return (
    <section class="card current" aria-labelledby="current-plan">
      <p class="eyebrow">{texts.currentPlan}</p>
      <h2 id="current-plan" data-plan={plan.code}>{plan.name}</h2>
      {plan.priceCents > 0 && <p class="price">{formatPrice(plan)}</p>}
      {note && <p class="state" data-tone={note.tone}>{note.text}</p>}
      <LimitList limits={limits} />
      {isAdmin && community.hasBillingAccount && (
        <div class="actions">
          <ManageBillingButton />
        </div>
      )}
    </section>
  );
}
