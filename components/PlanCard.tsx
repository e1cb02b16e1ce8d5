import type { ComponentChildren } from "preact";
import type { BillingInfo } from "../browser/contract.ts";
import { describeSubscription, formatPrice, texts } from "../browser/texts.ts";
import LimitList from "./LimitList.tsx";

/** The plan the community has now, and how its subscription stands. The children are what can be done about it. */
export default function PlanCard({ info, children }: { info: BillingInfo; children: ComponentChildren }) {
  const { plan, limits } = info;
  const note = describeSubscription(info);
  return (
    <section class="card current" aria-labelledby="current-plan">
      <p class="eyebrow">{texts.currentPlan}</p>
      <h2 id="current-plan" data-plan={plan.code}>{plan.name}</h2>
      {plan.priceCents > 0 && <p class="price">{formatPrice(plan)}</p>}
      {note && <p class="state" data-tone={note.tone}>{note.text}</p>}
      <LimitList limits={limits} />
      {children && <div class="actions">{children}</div>}
    </section>
  );
}
