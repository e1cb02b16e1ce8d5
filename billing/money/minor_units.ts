/**
 * How Stripe counts money: every amount is in the currency's smallest unit (https://docs.stripe.com/currencies). For server
 * and browser, so this folder imports nothing. A browser's own data about currencies differs from Stripe's, and from one
 * browser to another.
 */

/** https://docs.stripe.com/currencies#zero-decimal */
const ZERO_DECIMAL = /^(bif|clp|djf|gnf|jpy|kmf|krw|mga|pyg|rwf|vnd|vuv|xaf|xof|xpf)$/i;

/** https://docs.stripe.com/currencies#three-decimal */
const THREE_DECIMAL = /^(bhd|jod|kwd|omr|tnd)$/i;

/**
 * Stripe's special cases: they have no smaller unit any more and are still counted in hundredths, of which only whole
 * hundreds can be charged (https://docs.stripe.com/currencies#special-cases). HUF and TWD are like that for payouts only.
 */
const WHOLE_HUNDREDS = /^(isk|ugx)$/i;

/** How many decimals of the currency's main unit Stripe's smallest unit is: 2 for USD, 0 for JPY, 3 for KWD. */
export const minorUnitDigits = (currency: string): number =>
  ZERO_DECIMAL.test(currency) ? 0 : THREE_DECIMAL.test(currency) ? 3 : 2;

/** What every amount that is charged in this currency must be a multiple of. */
export const chargeableStep = (currency: string): number =>
  WHOLE_HUNDREDS.test(currency) ? 100 : THREE_DECIMAL.test(currency) ? 10 : 1;

/**
 * An amount of Stripe's in the currency's main unit, exactly, as a decimal number: `29.5` for `2950, "usd"`, `0.005` for
 * `0.5, "usd"`. Stripe's amounts have at most 12 decimals.
 */
export function mainUnits(amount: number, currency: string): string {
  const shortest = String(Math.abs(amount));
  const [whole, decimals = ""] = (shortest.includes("e") ? Math.abs(amount).toFixed(12) : shortest).split(
    ".",
  );
  const digits = minorUnitDigits(currency);
  const shifted = whole.padStart(digits + 1, "0");
  const cut = shifted.length - digits;
  const fraction = (shifted.slice(cut) + decimals).replace(/0+$/, "");
  return (amount < 0 ? "-" : "") + shifted.slice(0, cut) + (fraction && `.${fraction}`);
}
