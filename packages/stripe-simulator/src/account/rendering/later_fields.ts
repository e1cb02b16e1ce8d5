import { isSince } from "../../objects/api_versions.ts";
import { type Hash, hashAt, without } from "./hash.ts";

/**
 * Fields with the version that added them, by type of object. A field inside a hash is written with a dot. Where
 * recorded replies still lack a field that the changelog has, the first version that was not recorded counts.
 */
const added: Record<string, [version: string, ...fields: string[]][]> = {
  "billing_portal.session": [["2026-10-28", "after_expiration"]],
  "checkout.session": [
    ["2026-09-30", "allowed_payment_method_types"],
    ["2026-04-22", "managed_payments"],
    ["2026-03-25", "integration_identifier"],
    ["2025-12-15", "customer_account"],
    ["2025-09-30", "branding_settings"],
    ["2025-07-30", "origin_context"],
    ["2025-03-31", "permissions"],
    ["2025-02-24", "collected_information"],
  ],
  customer: [["2025-12-15", "customer_account"]],
  invoice: [
    ["2026-09-30", "status_details"],
    ["2025-12-15", "customer_account"],
  ],
  invoiceitem: [
    ["2026-09-30", "net_amount"],
    ["2026-03-25", "quantity_decimal"],
    ["2025-12-15", "customer_account"],
    ["2025-09-30", "proration_details"],
  ],
  line_item: [
    ["2026-09-30", "subscription"],
    ["2026-03-25", "quantity_decimal"],
    ["2025-12-15", "subtotal"],
  ],
  payment_intent: [
    ["2026-07-29", "allowed_payment_method_types"],
    ["2026-04-22", "managed_payments"],
    ["2025-12-15", "customer_account"],
  ],
  payment_method: [["2025-12-15", "customer_account"]],
  product: [["2026-09-30", "tax_details"]],
  setup_intent: [
    ["2026-07-29", "allowed_payment_method_types"],
    ["2026-04-22", "managed_payments"],
    ["2025-12-15", "customer_account"],
  ],
  subscription: [
    ["2026-09-30", "status_details", "trial_settings.end_behavior.billing_cycle_anchor"],
    ["2026-08-26", "cancellation_details.feedback_option"],
    [
      "2026-06-24",
      "invoice_settings.custom_fields",
      "invoice_settings.description",
      "invoice_settings.footer",
    ],
    ["2026-05-27", "billing_schedules"],
    ["2026-04-22", "managed_payments"],
    ["2025-12-15", "customer_account"],
    ["2025-06-30", "billing_mode"],
  ],
  subscription_item: [["2026-09-30", "current_trial"]],
};

/** Returns the object without the fields that came after this version. */
export function withoutLaterFields(object: Hash, version: string): Hash {
  const later = (added[String(object.object)] ?? []).filter(([since]) => !isSince(version, since));
  const paths = later.flatMap(([, ...fields]) => fields);
  return paths.reduce((shown, path) => withoutPath(shown, path.split(".")), object);
}

function withoutPath(hash: Hash, [key, ...rest]: string[]): Hash {
  if (rest.length === 0) return key in hash ? without(hash, key) : hash;
  const inner = hashAt(hash, key);
  return inner ? { ...hash, [key]: withoutPath(inner, rest) } : hash;
}
