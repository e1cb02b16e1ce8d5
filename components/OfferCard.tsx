import type { OfferedPlan } from "../browser/contract.ts";
import { formatPrice, texts } from "../browser/texts.ts";
import UpgradeButton from "../islands/UpgradeButton.tsx";
import LimitList from "./LimitList.tsx";

/** A plan the community could have, with the way to it for who may take it. */
export default function OfferCard({ plan, isAdmin }: { plan: OfferedPlan; isAdmin: boolean }) {
  return (
    <section class="card offer" aria-label={plan.name}>
      <h2>{plan.name}</h2>
      <p class="price">{formatPrice(plan)}</p>
      <LimitList limits={plan.limits} />
      <div class="actions">
        {isAdmin ? <UpgradeButton plan={plan} /> : <p class="quiet">{texts.memberHint}</p>}
      </div>
    </section>
  );
}
