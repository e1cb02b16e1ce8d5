import type { ComponentChildren } from "preact";
import type { BillingInfo, OfferedPlan } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { retryLoading } from "../browser/plan/billing_loader.ts";
import { billing } from "../browser/plan/billing_store.ts";
import { paidPrice } from "../browser/plan/paid_amount.ts";
import { hasPaidPlan, largerPlans } from "../browser/plan/subscription.ts";
import { confirmPayment } from "../browser/stripe/stripe_return.ts";
import {
  closeEmbeddedCheckout,
  confirmation,
  embeddedCheckout,
  stripeRedirect,
} from "../browser/stripe/stripe_store.ts";
import CurrentPlan from "../components/CurrentPlan.tsx";
import InvoiceList from "../components/InvoiceList.tsx";
import Note from "../components/Note.tsx";
import PlanOption from "../components/PlanOption.tsx";
import PortalButtons from "./PortalButtons.tsx";
import RedirectNote from "./RedirectNote.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** Content that the server has rendered. */
interface BillingSectionProps {
  skeleton: ComponentChildren;
  /** For a page that is not in an iframe. */
  outside: ComponentChildren;
  /** Shown after a payment until the plan has changed, in place of billing info from before the payment. */
  confirming: ComponentChildren;
  /** The heading of a checkout inside this page, and the element that Stripe.js fills. */
  checkout: ComponentChildren;
}

/** The community's plan and the plans on offer, or the reason why they are not shown. */
export default function BillingSection({ skeleton, outside, confirming, checkout }: BillingSectionProps) {
  const state = billing.value;
  if (state.status === "outside") return <>{outside}</>;
  if (state.status === "error") return <LoadFailure code={state.code} />;
  if (confirmation.value === "waiting") return <>{confirming}</>;
  if (confirmation.value === "late") return <LateConfirmation />;
  if (state.status === "loading") return <>{skeleton}</>;
  if (stripeRedirect.value && stripeRedirect.value.phase !== "opening") return <RedirectNote />;
  return embeddedCheckout.value ? <Checkout>{checkout}</Checkout> : <Billing info={state.info} />;
}

function Checkout({ children }: { children: ComponentChildren }) {
  return (
    <section class="card checkout">
      {children}
      <button type="button" class="button plain" onClick={closeEmbeddedCheckout}>
        {pageLanguage().texts.redirect.backToPlan}
      </button>
    </section>
  );
}

function Billing({ info }: { info: BillingInfo }) {
  const larger = largerPlans(info);
  const canPay = info.isAdmin && info.community.hasBillingAccount;
  return (
    <>
      <CurrentPlan info={info}>{canPay && <PortalButtons info={info} />}</CurrentPlan>
      {larger.length > 0 && <Plans info={info} larger={larger} />}
      {canPay && <InvoiceList invoices={info.invoices} />}
    </>
  );
}

function Plans({ info, larger }: { info: BillingInfo; larger: OfferedPlan[] }) {
  const language = pageLanguage();
  const paid = info.subscription && hasPaidPlan(info) ? paidPrice(info.subscription, language) : null;
  return (
    <section aria-labelledby="plans">
      <h2 id="plans">{language.texts.plans}</h2>
      <div class="cards">
        {info.plans.map((plan) => (
          <PlanOption
            key={plan.code}
            plan={plan}
            {...(plan.code === info.plan.code ? { isCurrent: true, paid } : { isCurrent: false })}
          >
            {larger.includes(plan) && <UpgradeButton plan={plan} info={info} />}
          </PlanOption>
        ))}
      </div>
    </section>
  );
}

function LoadFailure({ code }: { code: string }) {
  const { texts: { loadFailed, retry: label } } = pageLanguage();
  const text = loadFailed.codes[code] ?? loadFailed.other;
  return <NoteWithButton title={loadFailed.title} text={text} label={label} onClick={retryLoading} />;
}

function LateConfirmation() {
  const { texts } = pageLanguage();
  return <NoteWithButton text={texts.confirmationLate} label={texts.checkAgain} onClick={confirmPayment} />;
}

/** A warning with a button that may solve the problem. */
function NoteWithButton(
  { label, onClick, ...note }: { title?: string; text: string; label: string; onClick: () => void },
) {
  return (
    <Note tone="warning" {...note}>
      <button type="button" class="button" onClick={onClick}>{label}</button>
    </Note>
  );
}
