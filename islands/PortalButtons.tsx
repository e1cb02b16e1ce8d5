import type { BillingInfo } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { canCancel, needsPayment } from "../browser/plan/subscription.ts";
import { openPortal } from "../browser/stripe/stripe_redirect.ts";
import { type Destination, stripeRedirect } from "../browser/stripe/stripe_store.ts";

/** The buttons that open Stripe's billing portal, as the state of the subscription allows. */
export default function PortalButtons({ info }: { info: BillingInfo }) {
  const { texts } = pageLanguage();
  return (
    <>
      {needsPayment(info) && (
        <PortalButton to="payment_method_update" class="button primary" label={texts.updateCard} />
      )}
      <PortalButton to="portal" class="button" label={texts.manageBilling} />
      {canCancel(info) && (
        <PortalButton to="subscription_cancel" class="button plain" label={texts.cancelSubscription} />
      )}
    </>
  );
}

interface PortalButtonProps {
  to: Exclude<Destination, "checkout">;
  class: string;
  label: string;
}

function PortalButton({ to, class: className, label }: PortalButtonProps) {
  const { texts } = pageLanguage();
  const redirect = stripeRedirect.value;
  return (
    <button
      type="button"
      class={className}
      aria-disabled={redirect !== null}
      onClick={() => openPortal(to)}
    >
      {redirect?.to === to ? texts.redirect.opening.portal : label}
    </button>
  );
}
