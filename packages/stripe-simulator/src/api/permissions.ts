import type { Account } from "../account/account.ts";
import { hasPermission } from "../objects/restricted_key.ts";
import { accountId } from "../objects/stored_object.ts";
import { mask } from "../wire/api_key.ts";
import { StripeError } from "../wire/errors.ts";

/**
 * What restricted keys call each resource, by the beginning of its path
 * (https://docs.stripe.com/keys/restricted-api-keys). The longest match counts.
 */
const resources: [path: string, name: string][] = [
  ["/v1/billing/meter_event_adjustments", "billing_meter_event"],
  ["/v1/billing/meter_events", "billing_meter_event"],
  ["/v1/billing/meters", "billing_meter"],
  ["/v1/billing_portal/configurations", "customer_portal"],
  ["/v1/billing_portal/sessions", "customer_portal"],
  ["/v1/charges", "charge"],
  ["/v1/checkout/sessions", "checkout_session"],
  ["/v1/coupons", "coupon"],
  ["/v1/credit_notes", "credit_note"],
  ["/v1/customers", "customer"],
  ["/v1/disputes", "dispute"],
  ["/v1/events", "event"],
  ["/v1/invoice_payments", "invoice"],
  ["/v1/invoiceitems", "invoice"],
  ["/v1/invoices", "invoice"],
  ["/v1/payment_intents", "payment_intent"],
  ["/v1/payment_methods", "payment_method"],
  ["/v1/plans", "plan"],
  ["/v1/prices", "plan"],
  ["/v1/products", "product"],
  ["/v1/promotion_codes", "promotion_code"],
  ["/v1/refunds", "charge"],
  ["/v1/setup_intents", "setup_intent"],
  ["/v1/subscription_items", "subscription"],
  ["/v1/subscription_schedules", "subscription"],
  ["/v1/subscriptions", "subscription"],
  ["/v1/tax_ids", "tax_id"],
  ["/v1/tax_rates", "tax_rate"],
  ["/v1/test_helpers/test_clocks", "billing_clock"],
  ["/v1/webhook_endpoints", "webhook"],
  ["/v2/billing/meter_event", "billing_meter_event"],
  ["/v2/core/event_destinations", "event_destination"],
  ["/v2/core/events", "event"],
];

/** The permission that a request needs: `customer_write`. Null when no restricted key can send it. */
export function permissionFor(method: string, path: string): string | null {
  const matches = resources.filter(([start]) => path.startsWith(start)).sort(([a], [b]) =>
    b.length - a.length
  );
  const name = matches.at(0)?.[1];
  return name === undefined ? null : `${name}_${method === "GET" ? "read" : "write"}`;
}

/** Throws the 403 for a restricted key without the permission. A key that was never restricted may do everything. */
export function checkPermission(account: Account, key: string, method: string, path: string) {
  const restricted = account.restrictedKeys.find(key);
  if (!restricted) return;
  const wanted = permissionFor(method, path);
  if (wanted !== null && hasPermission(restricted, wanted)) return;
  const hint = wanted === null
    ? "This is a restricted API key, but the required permissions are not available for use by restricted keys."
    : `Having the 'rak_${wanted}' permission would allow this request to continue.`;
  throw new StripeError(
    403,
    "invalid_request_error",
    `The provided key '${mask(key)}' does not have the required permissions for this endpoint on account ` +
      `'${accountId}'. ${hint}`,
  );
}
