import type { BillingInfo, OfferedPlan } from "../browser/api/contract.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { hasLiveSubscription } from "../browser/plan/subscription.ts";
import { openPortal, startCheckout } from "../browser/stripe/stripe_redirect.ts";
import StripeButton from "./StripeButton.tsx";

/**
 * Takes an admin to the checkout of a plan, or to the billing portal if there is a subscription to change. Tells a
 * member to ask an admin.
 */
export default function UpgradeButton({ plan, info }: { plan: OfferedPlan; info: BillingInfo }) {
  const { texts } = pageLanguage();
  if (!info.isAdmin) return <p class="quiet">{texts.memberHint}</p>;
  const isChange = hasLiveSubscription(info);
  return (
    <StripeButton
      class="button primary"
      label={isChange ? texts.changePlan : fill(texts.upgradeTo, { plan: plan.name })}
      open={(by) => isChange ? openPortal("portal", by) : startCheckout(plan.code, by)}
    />
  );
}
