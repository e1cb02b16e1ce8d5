import { departure, type Destination } from "../browser/plan/billing_store.ts";
import type { BillingInfo } from "../browser/api/contract.ts";
import { openPortal } from "../browser/stripe/stripe_redirect.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { canCancel, needsPayment } from "../browser/plan/subscription.ts";

/** The ways into Stripe's billing portal that the state of the subscription calls for. */
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
  const leaving = departure.value;
  return (
    <button
      type="button"
      class={className}
      aria-disabled={leaving !== null}
      onClick={() => openPortal(to)}
    >
      {leaving?.to === to ? texts.departure.opening.portal : label}
    </button>
  );
}
