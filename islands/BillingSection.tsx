import { billing, confirmation } from "../browser/billing_store.ts";
import type { BillingInfo } from "../browser/contract.ts";
import { confirmPayment, retry } from "../browser/plugin.ts";
import { upgrades } from "../browser/subscription.ts";
import { texts } from "../browser/texts.ts";
import InvoiceList from "../components/InvoiceList.tsx";
import Note from "../components/Note.tsx";
import OfferCard from "../components/OfferCard.tsx";
import PlanCard from "../components/PlanCard.tsx";
import Skeleton from "../components/Skeleton.tsx";
import ManageBillingButton from "./ManageBillingButton.tsx";
import UpgradeButton from "./UpgradeButton.tsx";

/** The community's plan: what it is, what it could be, and what stands in the way of showing it. */
export default function BillingSection() {
  const state = billing.value;
  if (state.status === "outside") return <Note title={texts.outsideTitle} text={texts.outside} />;
  if (state.status === "error") return <LoadFailure code={state.code} />;
  if (confirmation.value !== "none") return <Confirmation isLate={confirmation.value === "late"} />;
  return state.status === "loading" ? <Skeleton /> : <Plans info={state.info} />;
}

function Plans({ info }: { info: BillingInfo }) {
  return (
    <>
      <div class="cards">
        <PlanCard info={info}>
          {info.isAdmin && info.community.hasBillingAccount && <ManageBillingButton />}
        </PlanCard>
        {upgrades(info).map((plan) => (
          <OfferCard key={plan.code} plan={plan}>
            {info.isAdmin ? <UpgradeButton plan={plan} /> : <p class="quiet">{texts.memberHint}</p>}
          </OfferCard>
        ))}
      </div>
      {info.invoices.length > 0 && <InvoiceList invoices={info.invoices} />}
    </>
  );
}

function LoadFailure({ code }: { code: string }) {
  return (
    <Note tone="warning" title={texts.loadFailedTitle} text={texts.loadFailed(code)}>
      <button type="button" class="button" onClick={retry}>{texts.retry}</button>
    </Note>
  );
}

/** The plan known so far may be from before the payment, so it is not shown. */
function Confirmation({ isLate }: { isLate: boolean }) {
  if (!isLate) {
    return (
      <>
        <Note text={texts.confirming} />
        <Skeleton />
      </>
    );
  }
  return (
    <Note tone="warning" text={texts.confirmationLate}>
      <button type="button" class="button" onClick={confirmPayment}>{texts.checkAgain}</button>
    </Note>
  );
}
