import type { ComponentChildren } from "preact";
import { confirmPayment } from "../browser/arrival.ts";
import { retry } from "../browser/billing_loader.ts";
import { billing, confirmation, departure, embeddedCheckout } from "../browser/billing_store.ts";
import type { BillingInfo } from "../browser/contract.ts";
import { pageLanguage } from "../browser/page_language.ts";
import { largerPlans } from "../browser/subscription.ts";
import CurrentPlan from "../components/CurrentPlan.tsx";
import InvoiceList from "../components/InvoiceList.tsx";
import Note from "../components/Note.tsx";
import PlanOption from "../components/PlanOption.tsx";
import DepartureNote from "./DepartureNote.tsx";
import EmbeddedCheckout from "./EmbeddedCheckout.tsx";
import PortalButtons from "./PortalButtons.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** What the server has written already. */
interface BillingSectionProps {
  skeleton: ComponentChildren;
  /** For a page that nobody frames. */
  outside: ComponentChildren;
  /** While the plan is about to change. What was known of it may be from before the payment, so it is not shown. */
  confirming: ComponentChildren;
}

/** The community's plan: what it is, what it could be, and what stands in the way of showing it. */
export default function BillingSection({ skeleton, outside, confirming }: BillingSectionProps) {
  const state = billing.value;
  if (state.status === "outside") return <>{outside}</>;
  if (state.status === "error") return <LoadFailure code={state.code} />;
  if (confirmation.value === "waiting") return <>{confirming}</>;
  if (confirmation.value === "late") return <LateConfirmation />;
  if (state.status === "loading") return <>{skeleton}</>;
  if (departure.value && departure.value.phase !== "opening") return <DepartureNote />;
  const plan = state.info.plans.find(({ code }) => code === embeddedCheckout.value?.planCode);
  return plan ? <EmbeddedCheckout plan={plan} /> : <Billing info={state.info} />;
}

function Billing({ info }: { info: BillingInfo }) {
  return (
    <>
      <CurrentPlan info={info}>
        {info.isAdmin && info.community.hasBillingAccount && <PortalButtons info={info} />}
      </CurrentPlan>
      {largerPlans(info).length > 0 && <Plans info={info} />}
      {info.isAdmin && info.community.hasBillingAccount && <InvoiceList invoices={info.invoices} />}
    </>
  );
}

function Plans({ info }: { info: BillingInfo }) {
  const { texts } = pageLanguage();
  const larger = largerPlans(info);
  return (
    <section aria-labelledby="plans">
      <h2 id="plans">{texts.plans}</h2>
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
  return (
    <Note tone="warning" title={loadFailed.title} text={loadFailed.codes[code] ?? loadFailed.other}>
      <button type="button" class="button" onClick={retry}>{label}</button>
    </Note>
  );
}

function LateConfirmation() {
  const { texts } = pageLanguage();
  return (
    <Note tone="warning" text={texts.confirmationLate}>
      <button type="button" class="button" onClick={confirmPayment}>{texts.checkAgain}</button>
    </Note>
  );
}
