import type { OfferedPlan } from "../browser/contract.ts";
import { closeCheckout, showCheckout } from "../browser/embedded_checkout.ts";
import { fill } from "../browser/language.ts";
import { pageLanguage } from "../browser/page_language.ts";
import { useEffect, useRef } from "preact/hooks";

/** Stripe's checkout of one plan, inside this page. */
export default function EmbeddedCheckout({ plan }: { plan: OfferedPlan }) {
  const { texts: { checkout: texts } } = pageLanguage();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => showCheckout(place.current!, plan.code), []);
  return (
    <section class="card checkout" aria-labelledby="checkout">
      <div class="title">
        <h2 id="checkout">{fill(texts.heading, { plan: plan.name })}</h2>
        <button type="button" class="button plain" onClick={closeCheckout}>{texts.back}</button>
      </div>
      <div class="place" ref={place}>
        <p class="quiet">{texts.loading}</p>
      </div>
    </section>
  );
}
