import type { Stripe } from "@stripe/stripe-js";
import { loadStripe } from "@stripe/stripe-js/dist/pure.mjs";

/** What it takes to show Stripe's checkout inside this page. */
export interface StripeJs {
  publishableKey: string;
  /** The address of a stand-in for Stripe.js; null for Stripe's own. */
  scriptUrl: string | null;
}

/**
 * Loads Stripe.js, which must come from Stripe and is not asked for before somebody wants to pay
 * (https://docs.stripe.com/js/including). Rejects when it cannot be had.
 */
export async function loadStripeJs({ publishableKey, scriptUrl }: StripeJs, locale: string): Promise<Stripe> {
  if (scriptUrl) await loadScript(scriptUrl);
  const stripe = await loadStripe(publishableKey, { locale: locale as "auto" });
  if (!stripe) throw new Error("Stripe.js gave nothing");
  return stripe;
}

/** The official loader takes what a script has put into `window.Stripe`. */
function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url });
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${url} cannot be loaded`));
    document.head.append(script);
  });
}
