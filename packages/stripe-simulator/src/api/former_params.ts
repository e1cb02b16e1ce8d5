import { isSince } from "../objects/api_versions.ts";
import type { FormHash } from "../wire/form_encoding.ts";

const formerModes = new Map([
  ["custom", "elements"],
  ["embedded", "embedded_page"],
  ["hosted", "hosted_page"],
]);

/** What only says which ways to pay are offered. The newest version has other parameters for it. */
const offersMethods = /^\/v1\/(checkout\/sessions|payment_intents|setup_intents)(\/|$)/;

/**
 * Returns the parameters of a request in an older version with their present names. A request that names no version,
 * such as those of Stripe's CLI, is read in the same way.
 */
export function presentParams(path: string, params: FormHash, version: string | null): FormHash {
  const isOld = (since: string) => version === null || !isSince(version, since);
  const present = { ...params };
  if (isOld("2026-09-30") && offersMethods.test(path)) delete present.payment_method_types;
  if (isOld("2026-09-30") && path.startsWith("/v1/subscriptions/")) {
    const { billing_cycle_anchor: anchor } = present;
    if (anchor === "now" || anchor === "unchanged") present.billing_cycle_anchor = { type: anchor };
  }
  if (isOld("2026-03-25") && path === "/v1/checkout/sessions" && typeof present.ui_mode === "string") {
    present.ui_mode = formerModes.get(present.ui_mode) ?? present.ui_mode;
  }
  if (isOld("2025-09-30") && path === "/v1/promotion_codes" && typeof present.coupon === "string") {
    const { coupon, ...others } = present;
    return { ...others, promotion: { coupon, type: "coupon" } };
  }
  return present;
}
