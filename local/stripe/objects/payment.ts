import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { PaymentMethod } from "./payment_method.ts";
import type { Stored } from "./stored.ts";

export type PaymentIntent = Stored<Stripe.PaymentIntent>;
export type Charge = Stored<Stripe.Charge>;
export type InvoicePayment = Stored<Stripe.InvoicePayment>;

export interface PaymentFields {
  amount: number;
  currency: string;
  customer: string;
  method: PaymentMethod;
  description: string;
}

/** The three objects that one successful payment of an invoice leaves behind. */
export function newSuccessfulPayment(created: number, invoice: string, fields: PaymentFields) {
  const intentId = newId("pi");
  const chargeId = newId("ch");
  return {
    intent: succeededIntent(created, { ...fields, id: intentId, charge: chargeId }),
    charge: succeededCharge(created, { ...fields, id: chargeId, intent: intentId }),
    invoicePayment: paidInvoicePayment(created, { ...fields, invoice, intent: intentId }),
  };
}

function succeededIntent(
  created: number,
  fields: PaymentFields & { id: string; charge: string },
): PaymentIntent {
  return {
    id: fields.id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: fields.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: fields.amount,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: "automatic",
    client_secret: newId(`${fields.id}_secret`),
    confirmation_method: "automatic",
    created,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    description: fields.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: fields.charge,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: fields.method.id,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ["card"],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: "off_session",
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: "succeeded",
    transfer_data: null,
    transfer_group: null,
  };
}

function succeededCharge(created: number, fields: PaymentFields & { id: string; intent: string }): Charge {
  const { method } = fields;
  return {
    id: fields.id,
    object: "charge",
    amount: fields.amount,
    amount_captured: fields.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: "SANDBOX",
    captured: true,
    created,
    currency: fields.currency,
    customer: fields.customer,
    description: fields.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    on_behalf_of: null,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: "approved_by_network",
      reason: null,
      risk_level: "normal",
      risk_score: 1,
      seller_message: "Payment complete.",
      type: "authorized",
    },
    paid: true,
    payment_intent: fields.intent,
    payment_method: method.id,
    payment_method_details: { card: chargedCard(method, fields.amount), type: "card" },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: "succeeded",
    transfer_data: null,
    transfer_group: null,
  };
}

function chargedCard(method: PaymentMethod, amount: number): Stripe.Charge.PaymentMethodDetails["card"] {
  const { card } = method;
  if (!card) throw new Error(`${method.id} is not a card`);
  return {
    amount_authorized: amount,
    authorization_code: "123456",
    brand: card.brand,
    checks: card.checks,
    country: card.country,
    electronic_commerce_indicator: null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint,
    funding: card.funding,
    installments: null,
    last4: card.last4,
    mandate: null,
    network: card.brand,
    network_transaction_id: null,
    regulated_status: "unregulated",
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  };
}

function paidInvoicePayment(
  created: number,
  fields: PaymentFields & { invoice: string; intent: string },
): InvoicePayment {
  return {
    id: newId("inpay"),
    object: "invoice_payment",
    amount_paid: fields.amount,
    amount_requested: fields.amount,
    created,
    currency: fields.currency,
    invoice: fields.invoice,
    is_default: true,
    livemode: false,
    payment: { payment_intent: fields.intent, type: "payment_intent" },
    status: "paid",
    status_transitions: { canceled_at: null, paid_at: created },
  };
}
