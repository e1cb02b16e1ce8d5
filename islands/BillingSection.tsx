import type { ComponentChildren } from "preact";
import { confirmPayment } from "../browser/stripe/stripe_return.ts";
import { retry } from "../browser/plan/billing_loader.ts";
import {
  billing,
  closeEmbeddedCheckout,
  confirmation,
  departure,
  embeddedCheckout,
} from "../browser/plan/billing_store.ts";
import type { BillingInfo, OfferedPlan } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { largerPlans } from "../browser/plan/subscription.ts";
import CurrentPlan from "../components/CurrentPlan.tsx";
import InvoiceList from "../components/InvoiceList.tsx";
import Note from "../components/Note.tsx";
import PlanOption from "../components/PlanOption.tsx";
import DepartureNote from "./RedirectNote.tsx";
import PortalButtons from "./PortalButtons.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** What the server has written already. */
interface BillingSectionProps {
  skeleton: ComponentChildren;
  /** For a page that nobody frames. */
  outside: ComponentChildren;
  /** While the plan is about to change. What was known of it may be from before the payment, so it is not shown. */
  confirming: ComponentChildren;
  /** What stands around a checkout inside this page. */
  checkout: ComponentChildren;
}

/** The community's plan: what it is, what it could be, and what stands in the way of showing it. */
export default function BillingSection({ skeleton, outside, confirming, checkout }: BillingSectionProps) {
  const state = billing.value;
  if (state.status === "outside") return <>{outside}</>;
  if (state.status === "error") return <LoadFailure code={state.code} />;
  if (confirmation.value === "waiting") return <>{confirming}</>;
  if (confirmation.value === "late") return <LateConfirmation />;
  if (state.status === "loading") return <>{skeleton}</>;
  if (departure.value && departure.value.phase !== "opening") return <DepartureNote />;
  return embeddedCheckout.value ? <Checkout>{checkout}</Checkout> : <Billing info={state.info} />;
}

function Checkout({ children }: { children: ComponentChildren }) {
  return (
    <section class="card checkout">
      {children}
      <button type="button" class="button plain" onClick={closeEmbeddedCheckout}>
        {pageLanguage().texts.departure.stop}
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
  return (
    <section aria-labelledby="plans">
      <h2 id="plans">{pageLanguage().texts.plans}</h2>
      <div class="cards">
        {info.plans.map((plan) => (
          <PlanOption key={plan.code} plan={plan} isCurrent={plan.code === info.plan.code}>
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
  return <Remedy title={loadFailed.title} text={text} label={label} onClick={retry} />;
}

function LateConfirmation() {
  const { texts } = pageLanguage();
  return <Remedy text={texts.confirmationLate} label={texts.checkAgain} onClick={confirmPayment} />;
}

/** What is wrong, and a button for what can be done about it. */
function Remedy(
  { label, onClick, ...note }: { title?: string; text: string; label: string; onClick: () => void },
) {
  return (
    <Note tone="warning" {...note}>
      <button type="button" class="button" onClick={onClick}>{label}</button>
    </Note>
  );
}
