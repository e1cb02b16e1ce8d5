/** The path of each type's collection. */
const collections = new Map([
  ["billing.meter", "/v1/billing/meters"],
  ["billing_portal.configuration", "/v1/billing_portal/configurations"],
  ["charge", "/v1/charges"],
  ["checkout.session", "/v1/checkout/sessions"],
  ["coupon", "/v1/coupons"],
  ["credit_note", "/v1/credit_notes"],
  ["customer", "/v1/customers"],
  ["dispute", "/v1/disputes"],
  ["event", "/v1/events"],
  ["invoice", "/v1/invoices"],
  ["invoice_payment", "/v1/invoice_payments"],
  ["invoiceitem", "/v1/invoiceitems"],
  ["payment_intent", "/v1/payment_intents"],
  ["payment_method", "/v1/payment_methods"],
  ["plan", "/v1/plans"],
  ["price", "/v1/prices"],
  ["promotion_code", "/v1/promotion_codes"],
  ["product", "/v1/products"],
  ["refund", "/v1/refunds"],
  ["setup_intent", "/v1/setup_intents"],
  ["subscription", "/v1/subscriptions"],
  ["subscription_item", "/v1/subscription_items"],
  ["subscription_schedule", "/v1/subscription_schedules"],
  ["tax_id", "/v1/tax_ids"],
  ["tax_rate", "/v1/tax_rates"],
  ["test_helpers.test_clock", "/v1/test_helpers/test_clocks"],
  ["v2.core.event_destination", "/v2/core/event_destinations"],
  ["webhook_endpoint", "/v1/webhook_endpoints"],
]);

/** The path of an object. Undefined for a type that cannot be retrieved by itself. */
export function pathOf(object: string, id: string): string | undefined {
  const collection = collections.get(object);
  return collection && `${collection}/${encodeURIComponent(id)}`;
}
