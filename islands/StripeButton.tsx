import { useState } from "preact/hooks";
import { pageLanguage } from "../browser/language/page_language.ts";
import { stripeRedirect } from "../browser/stripe/stripe_store.ts";

interface StripeButtonProps {
  class: string;
  label: string;
  /** Begins the way to Stripe, by this button. */
  open: (by: symbol) => unknown;
}

/** A button that leads to Stripe. While one is on its way, that one says so and none can be used. */
export default function StripeButton({ class: className, label, open }: StripeButtonProps) {
  const [button] = useState(Symbol);
  const redirect = stripeRedirect.value;
  const isOpening = redirect?.by === button;
  const { opening } = pageLanguage().texts.redirect;
  return (
    <button
      type="button"
      class={className}
      aria-disabled={redirect !== null}
      aria-busy={isOpening}
      onClick={() => open(button)}
    >
      {isOpening ? opening[redirect.to === "checkout" ? "checkout" : "portal"] : label}
    </button>
  );
}
