import type { ComponentChildren } from "preact";
import type { BillingInfo } from "../browser/api/contract.ts";
import { fill } from "../browser/language/language.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { limitKey } from "../browser/plan/limit_key.ts";
import { paidPrice } from "../browser/plan/paid_amount.ts";
import { hasPaidPlan } from "../browser/plan/subscription.ts";
import { describeSubscription } from "../browser/plan/subscription_note.ts";
import UsageMeter from "./UsageMeter.tsx";

/** The community's current plan with its usage and the state of its subscription. The children are the actions. */
export default function CurrentPlan({ info, children }: { info: BillingInfo; children: ComponentChildren }) {
  const language = pageLanguage();
  const { texts } = language;
  const note = describeSubscription(info, language);
  return (
    <section class="card current" aria-label={texts.currentPlan}>
      <div class="title">
        <div>
          <p class="eyebrow">{texts.currentPlan}</p>
          <h2 data-plan={info.plan.code}>{info.plan.name}</h2>
        </div>
        <PaidPrice info={info} />
      </div>
      {note && <p class="state" data-tone={note.tone}>{note.text}</p>}
      {children && <div class="actions">{children}</div>}
      {info.usage.length === 0 ? <p class="quiet">{texts.noLimits}</p> : (
        <div class="meters">
          {info.usage.map((usage) => <UsageMeter key={limitKey(usage)} usage={usage} />)}
        </div>
      )}
    </section>
  );
}

/** What the community pays for its plan, as Stripe has it; nothing if it pays for another or for none. */
function PaidPrice({ info }: { info: BillingInfo }) {
  const language = pageLanguage();
  const { subscription } = info;
  const price = subscription && hasPaidPlan(info) && paidPrice(subscription, language);
  if (!price) return null;
  const { quantity, unitAmount, currency } = subscription;
  return (
    <div>
      <p class="price">{price}</p>
      {quantity !== null && quantity > 1 && unitAmount !== null && (
        <p class="quiet">
          {fill(language.texts.quantity, {
            count: language.number(quantity),
            price: language.money(unitAmount, currency ?? info.plan.currency),
          })}
        </p>
      )}
    </div>
  );
}
