import type { ComponentChildren } from "preact";
import type { OfferedPlan } from "../browser/contract.ts";
import { formatPrice } from "../browser/texts.ts";
import LimitList from "./LimitList.tsx";

/** A plan the community could have. The children are the way to it. */
export default function OfferCard({ plan, children }: { plan: OfferedPlan; children: ComponentChildren }) {
  return (
    <section class="card offer" aria-label={plan.name}>
      <h2>{plan.name}</h2>
      <p class="price">{formatPrice(plan)}</p>
      <LimitList limits={plan.limits} />
      <div class="actions">{children}</div>
    </section>
  );
}
