import type { BillingInfo } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { canCancel, needsPayment } from "../browser/plan/subscription.ts";
import { openPortal } from "../browser/stripe/stripe_redirect.ts";
import StripeButton from "./StripeButton.tsx";

/** The buttons that open Stripe's billing portal, as the state of the subscription allows. */
export default function PortalButtons({ info }: { info: BillingInfo }) {
  const { texts } = pageLanguage();
  return (
    <>
      {needsPayment(info) && (
        <StripeButton
          class="button primary"
          label={texts.updateCard}
          open={(by) => openPortal("payment_method_update", by)}
        />
      )}
      <StripeButton class="button" label={texts.manageBilling} open={(by) => openPortal("portal", by)} />
      {canCancel(info) && (
        <StripeButton
          class="button plain"
          label={texts.cancelSubscription}
          open={(by) => openPortal("subscription_cancel", by)}
        />
      )}
    </>
  );
}
