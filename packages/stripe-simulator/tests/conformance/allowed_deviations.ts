/** Where the simulator deviates from a recorded reply, and why that is right. */
export interface AllowedDeviation {
  /** The name of the shape. Without it, all of them. */
  of?: string;
  /** Paths in the object. `*` stands for any text. */
  paths: string[];
  reason: string;
}

export const allowedDeviations: AllowedDeviation[] = [
  {
    paths: ["items.data[0].price.tax_behavior"],
    reason: "The recorded account has another default tax behavior in its settings.",
  },
  {
    of: "invoice item without currency",
    paths: ["discounts"],
    reason: "The recorded customer had a discount.",
  },
  {
    of: "open checkout session",
    paths: ["adaptive_pricing.enabled", "payment_method_configuration_details", "payment_method_types"],
    reason: "Settings of the recorded account: adaptive pricing, and more ways to pay than cards.",
  },
  {
    of: "event of an ended subscription",
    paths: ["data.object.schedule"],
    reason: "The recorded subscription had a schedule.",
  },
  {
    of: "event of an ended subscription",
    paths: ["request.id"],
    reason: "The recorded subscription was canceled by its schedule, here a request cancels it.",
  },
  {
    of: "event of a renewed subscription",
    paths: ["data.object.customer_account"],
    reason: "Recorded accounts have this field before the version that added it, others not.",
  },
  {
    of: "event of a renewed subscription",
    paths: ["data.object.payment_settings.payment_method_options.*"],
    reason: "Ways to pay that came after this version.",
  },
  {
    of: "event of an ended subscription",
    paths: ["data.object.payment_settings.payment_method_options.*"],
    reason: "Ways to pay that came after this version.",
  },
  {
    of: "event of a renewed subscription",
    paths: ["data.object.test_clock"],
    reason: "Here the renewal happens on a test clock.",
  },
  {
    of: "event of a paid invoice before basil",
    paths: [
      "data.object.amount_shipping",
      "data.object.application",
      "data.object.automatic_tax",
      "data.object.automatically_finalizes_at",
      "data.object.effective_at",
      "data.object.from_invoice",
      "data.object.issuer",
      "data.object.latest_revision",
      "data.object.lines.data[0].amount_excluding_tax",
      "data.object.lines.data[0].invoice",
      "data.object.lines.data[0].plan.meter",
      "data.object.lines.data[0].pretax_credit_amounts",
      "data.object.lines.data[0].price.custom_unit_amount",
      "data.object.lines.data[0].price.recurring.meter",
      "data.object.lines.data[0].price.tax_behavior",
      "data.object.lines.data[0].proration_details",
      "data.object.lines.data[0].unit_amount_excluding_tax",
      "data.object.paid_out_of_band",
      "data.object.payment_settings.default_mandate",
      "data.object.quote",
      "data.object.rendering",
      "data.object.shipping_cost",
      "data.object.shipping_details",
      "data.object.subscription_details",
      "data.object.subtotal_excluding_tax",
      "data.object.test_clock",
      "data.object.total_excluding_tax",
      "data.object.total_pretax_credit_amounts",
    ],
    reason: "Recorded in 2021. Stripe added these fields to old versions too.",
  },
  {
    of: "event of a paid invoice before basil",
    paths: ["data.object.customer_name", "data.object.webhooks_delivered_at", "request.*", "type"],
    reason: "The recorded event is a later one, of another request, about a customer without a name.",
  },
];
