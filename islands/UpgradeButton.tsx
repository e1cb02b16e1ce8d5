import { departure } from "../browser/plan/billing_store.ts";
import type { BillingInfo, OfferedPlan } from "../browser/api/contract.ts";
import { openPortal, startCheckout } from "../browser/stripe/stripe_redirect.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { hasLiveSubscription } from "../browser/plan/subscription.ts";

/**
 * Takes an admin to the checkout of one plan, or, where there is a subscription already, to the portal that changes
 * it. Tells a member whom to ask.
 */
export default function UpgradeButton({ plan, info }: { plan: OfferedPlan; info: BillingInfo }) {
  const { texts } = pageLanguage();
  if (!info.isAdmin) return <p class="quiet">{texts.memberHint}</p>;
  const isChange = hasLiveSubscription(info);
  const destination = isChange ? "portal" : "checkout";
  const label = isChange ? texts.changePlan : fill(texts.upgradeTo, { plan: plan.name });
  return (
    <button
      type="button"
      class="button primary"
      aria-disabled={departure.value !== null}
      onClick={() => isChange ? openPortal("portal") : startCheckout(plan.code)}
    >
      {departure.value?.to === destination ? texts.departure.opening[destination] : label}
    </button>
  );
}
