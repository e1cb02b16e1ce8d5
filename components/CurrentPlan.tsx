import type { ComponentChildren } from "preact";
import type { BillingInfo } from "../browser/api/contract.ts";
import { pageLanguage } from "../browser/language/page_language.ts";
import { limitKey } from "../browser/plan/limit_key.ts";
import { describeSubscription } from "../browser/plan/subscription_note.ts";
import UsageMeter from "./UsageMeter.tsx";

/** The community's current plan with its usage and the state of its subscription. The children are the actions. */
export default function CurrentPlan({ info, children }: { info: BillingInfo; children: ComponentChildren }) {
  const language = pageLanguage();
  const { texts, price } = language;
  const note = describeSubscription(info, language);
  return (
    <section class="card current" aria-label={texts.currentPlan}>
      <div class="title">
        <div>
          <p class="eyebrow">{texts.currentPlan}</p>
          <h2 data-plan={info.plan.code}>{info.plan.name}</h2>
        </div>
        {info.plan.priceCents > 0 && <p class="price">{price(info.plan)}</p>}
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
