import { departure } from "../browser/billing_store.ts";
import type { OfferedPlan } from "../browser/contract.ts";
import { startCheckout } from "../browser/plugin.ts";
import { texts } from "../browser/texts.ts";
import NewTabLink from "../components/NewTabLink.tsx";

/** Takes an admin to the checkout of one plan. */
export default function UpgradeButton({ plan }: { plan: OfferedPlan }) {
  const leaving = departure.value;
  const isOpening = leaving?.to === "checkout";
  return (
    <>
      <button
        type="button"
        class="button primary"
        aria-disabled={leaving !== null}
        onClick={() => startCheckout(plan.code)}
      >
        {isOpening ? texts.openingCheckout : texts.upgradeTo(plan)}
      </button>
      {isOpening && leaving.stuck && <NewTabLink url={leaving.url} />}
    </>
  );
}
