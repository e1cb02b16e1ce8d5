const newer = "Added by Stripe after the sample was made; the SDK's types of this API version require it.";
const newerOptional = "Optional and newer than the sample; Stripe shows it as null.";
const thisCase = "The keys of this hash depend on the object; the sample has others.";
const recorded = "Not documented, and not in the sample; Stripe's replies have it.";
const onlyAtCreation = "Shown only in the reply to the creation; the sample is a later reply.";

/** Every intended difference, by type of object and field, with its reason. */
export const explained: Record<string, Record<string, string>> = {
  "billing_portal.configuration": {
    "features.subscription_cancel.cancellation_reason.feedback_options": newer,
    "features.subscription_pause": newer,
    "features.subscription_update.products": "Optional: shown when a configuration is retrieved.",
  },
  "billing_portal.session": {
    "after_expiration": newerOptional,
    "flow.customer_update": newer,
    "flow.subscription_pause": newer,
  },
  charge: {
    "outcome.risk_level": "Optional: shown when the risk of a card payment was rated; the sample's was not.",
    "outcome.risk_score": "As risk_level.",
    "payment_method_details.card.electronic_commerce_indicator": newer,
    "refunds": "Only shown expanded since API version 2022-11-15; the sample shows it expanded.",
  },
  "checkout.session": {
    "allowed_payment_method_types": newer,
    "branding_settings": recorded,
    "payment_method_options.card": thisCase,
  },
  customer: { "customer_account": newerOptional },
  invoice: {
    "lines.data[].pricing.price_details": "Shown for lines with a price; the sample's line has none.",
    "lines.total_count": recorded,
    "subscription": "Removed in 2025-03-31.basil, now parent.subscription_details; a leftover in the sample.",
  },
  invoice_payment: {
    "payment.payment_intent": "Paid by a payment intent; the sample was paid by something else.",
  },
  invoiceitem: { "pricing.price_details": "As on lines." },
  line_item: { "pricing.price_details": "Shown for lines with a price; the sample's line has none." },
  payment_intent: {
    "allowed_payment_method_types": newer,
    "payment_details": recorded,
    "payment_method_options.card": thisCase,
    "payment_record": newer,
  },
  product: { "tax_details": newer },
  setup_intent: {
    "allowed_payment_method_types": newer,
    "customer_account": newerOptional,
    "managed_payments": newerOptional,
    "payment_method_options.card": thisCase,
  },
  subscription: {
    "billing_mode.flexible.proration_discounts":
      "Shown in flexible billing mode; the sample is in classic mode.",
    "billing_mode.updated_at": "Shown in flexible billing mode; the sample is in classic mode.",
    "cancellation_details.feedback_option": newer,
    "items.data[].current_trial": newer,
    "items.total_count": recorded,
    "plan": recorded,
    "quantity": recorded,
    "trial_settings.end_behavior.billing_cycle_anchor": newer,
  },
  subscription_item: { "current_trial": newer },
  webhook_endpoint: { "secret": onlyAtCreation },
};
