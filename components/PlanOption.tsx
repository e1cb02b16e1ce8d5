import type { ComponentChildren } from "preact";
import type { OfferedPlan } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import LimitList from "./LimitList.tsx";

interface PlanOptionProps {
  plan: OfferedPlan;
  isCurrent: boolean;
  /** What the community pays for it, if it is the current plan. */
  paid?: string | null;
  /** The actions, such as the upgrade button. */
  children: ComponentChildren;
}

/** A plan on offer, with its price and limits. */
export default function PlanOption({ plan, isCurrent, paid, children }: PlanOptionProps) {
  const { texts, price } = pageLanguage();
  return (
    <section class={isCurrent ? "card" : "card offer"} aria-label={plan.name}>
      <div class="title">
        <h3>{plan.name}</h3>
        {isCurrent && <span class="tag">{texts.yourPlan}</span>}
      </div>
      <p class="price">{paid ?? price(plan)}</p>
      <LimitList limits={plan.limits} />
      {children && <div class="actions">{children}</div>}
    </section>
  );
}
