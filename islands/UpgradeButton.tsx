import type { BillingInfo, OfferedPlan } from "../browser/api/contract.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { hasLiveSubscription } from "../browser/plan/subscription.ts";
import { openPortal, startCheckout } from "../browser/stripe/stripe_redirect.ts";
import { stripeRedirect } from "../browser/stripe/stripe_store.ts";

/**
 * Takes an admin to the checkout of a plan, or to the billing portal if there is a subscription to change. Tells a
 * member to ask an admin.
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
      aria-disabled={stripeRedirect.value !== null}
      onClick={() => isChange ? openPortal("portal") : startCheckout(plan.code)}
    >
      {stripeRedirect.value?.to === destination ? texts.redirect.opening[destination] : label}
    </button>
  );
}
