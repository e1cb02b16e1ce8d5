import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { PaymentMethod } from "./payment_method.ts";
import type { Stored } from "./stored_object.ts";
import type { Decline } from "./test_card.ts";

export type PaymentIntent = Stored<Stripe.PaymentIntent>;
export type Charge = Stored<Stripe.Charge>;
export type InvoicePayment = Stored<Stripe.InvoicePayment>;

export interface PaymentFields {
  amount: number;
  currency: string;
  customer: string | null;
  method: PaymentMethod;
  description: string | null;
  metadata?: Stripe.Metadata;
  shipping?: PaymentIntent["shipping"];
  /** True when the card is saved for later charges. */
  savesCard?: boolean;
}

/** A failed payment. The charge is null when the authentication failed, because nothing was charged then. */
export interface FailedPayment {
  intent: PaymentIntent;
  charge: Charge | null;
}

/** Creates a payment that succeeds immediately. */
export function newPayment(
  created: number,
  fields: PaymentFields,
): { intent: PaymentIntent; charge: Charge } {
  const open = newPaymentIntent(created, fields);
  const charge = newCharge(created, open.id, fields, null);
  return { intent: succeededIntent(open, fields.method.id, charge.id), charge };
}

/** Creates a payment that the bank declines. The intent stays open for another card. */
export function newFailedPayment(created: number, fields: PaymentFields, decline: Decline): FailedPayment {
  const intent = newPaymentIntent(created, fields);
  const isCharged = decline.code !== "payment_intent_authentication_failure";
  const charge = isCharged ? newCharge(created, intent.id, fields, decline) : null;
  return { intent: failedIntent(intent, fields.method, charge, decline), charge };
}

/* Shared by all payments: a long simulation holds tens of thousands of them. */
const noTip = { tip: {} };
const notManaged = { enabled: false };
const noOptions = {};
const noDetails = { customer_reference: null, order_reference: null };
const cardOptions: PaymentIntent["payment_method_options"] = {
  card: { installments: null, mandate_options: null, network: null, request_three_d_secure: "automatic" },
};
const byCard = ["card"];
const noMetadata: Stripe.Metadata = {};

/** Creates an intent that requires a payment method. */
export function newPaymentIntent(created: number, fields: Omit<PaymentFields, "method">): PaymentIntent {
  const id = newId("pi");
  return {
    id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: fields.amount,
    amount_capturable: 0,
    amount_details: noTip,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: "automatic",
    client_secret: newId(`${id}_secret`),
    confirmation_method: "automatic",
    created,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    description: fields.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: notManaged,
    metadata: fields.metadata ?? noMetadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_details: noDetails,
    payment_method_options: cardOptions,
    payment_method_types: byCard,
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: fields.savesCard ? "off_session" : null,
    shipping: fields.shipping ?? null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: "requires_payment_method",
    transfer_data: null,
    transfer_group: null,
  };
}

/** Returns the intent after its whole amount was paid with this charge. */
export function succeededIntent(intent: PaymentIntent, method: string, charge: string): PaymentIntent {
  return {
    ...intent,
    amount_received: intent.amount,
    last_payment_error: null,
    latest_charge: charge,
    next_action: null,
    payment_method: method,
    status: "succeeded",
  };
}

/** Returns the intent after a failed attempt. */
export function failedIntent(
  intent: PaymentIntent,
  method: PaymentMethod,
  charge: Charge | null,
  decline: Decline,
): PaymentIntent {
  return {
    ...intent,
    last_payment_error: {
      ...(charge ? { charge: charge.id } : {}),
      advice_code: decline.adviceCode,
      code: decline.code,
      decline_code: decline.declineCode,
      message: decline.message,
      ...(charge ? { network_decline_code: decline.networkCode } : {}),
      payment_method: method,
      type: "card_error",
    },
    latest_charge: charge?.id ?? null,
    next_action: null,
    payment_method: null,
    status: "requires_payment_method",
  };
}

/** Returns the intent while the customer must authenticate the payment. */
export function intentToAuthenticate(intent: PaymentIntent, method: string): PaymentIntent {
  return {
    ...intent,
    last_payment_error: null,
    next_action: { type: "use_stripe_sdk", use_stripe_sdk: {} },
    payment_method: method,
    status: "requires_action",
  };
}

/** Returns the intent while the bank has not answered yet. */
export function processingIntent(
  intent: PaymentIntent,
  method: PaymentMethod,
  charge: string,
): PaymentIntent {
  return {
    ...intent,
    last_payment_error: null,
    latest_charge: charge,
    next_action: null,
    payment_method: method.id,
    payment_method_types: [method.type],
    status: "processing",
  };
}

/** Returns the charge while the bank has not answered yet. */
export function pendingCharge(charge: Charge): Charge {
  return {
    ...charge,
    amount_captured: 0,
    balance_transaction: null,
    captured: false,
    paid: false,
    receipt_url: null,
    status: "pending",
  };
}

/** Returns the pending charge with the bank's answer. */
export function settledCharge(charge: Charge, decline: Decline | null): Charge {
  if (decline) {
    return { ...charge, failure_code: decline.code, failure_message: decline.message, status: "failed" };
  }
  return {
    ...charge,
    amount_captured: charge.amount,
    balance_transaction: newId("txn"),
    captured: true,
    paid: true,
    receipt_url: `https://pay.stripe.com/receipts/payment/${charge.id}`,
    status: "succeeded",
  };
}

/** Returns the canceled intent. */
export function canceledIntent(now: number, intent: PaymentIntent): PaymentIntent {
  return {
    ...intent,
    canceled_at: now,
    cancellation_reason: "void_invoice",
    next_action: null,
    status: "canceled",
  };
}

/** Creates the charge of one attempt, successful or declined. */
export function newCharge(
  created: number,
  intent: string,
  fields: PaymentFields,
  decline: Decline | null,
): Charge {
  const { method } = fields;
  const id = newId("ch");
  return {
    id,
    object: "charge",
    amount: fields.amount,
    amount_captured: decline ? 0 : fields.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: decline ? null : newId("txn"),
    billing_details: method.billing_details,
    calculated_statement_descriptor: "SANDBOX",
    captured: !decline,
    created,
    currency: fields.currency,
    customer: fields.customer,
    description: fields.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: noOptions,
    livemode: false,
    metadata: fields.metadata ?? noMetadata,
    on_behalf_of: null,
    outcome: decline ? declinedOutcome(decline) : authorized,
    paid: !decline,
    payment_intent: intent,
    payment_method: method.id,
    payment_method_details: chargedDetails(method, fields.amount),
    receipt_email: null,
    receipt_number: null,
    receipt_url: decline ? null : `https://pay.stripe.com/receipts/payment/${id}`,
    refunded: false,
    review: null,
    shipping: fields.shipping ?? null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: decline ? "failed" : "succeeded",
    transfer_data: null,
    transfer_group: null,
  };
}

const authorized: NonNullable<Charge["outcome"]> = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: "approved_by_network",
  reason: null,
  risk_level: "normal",
  risk_score: 1,
  seller_message: "Payment complete.",
  type: "authorized",
};

function declinedOutcome({ adviceCode, declineCode, networkCode }: Decline): Charge["outcome"] {
  return {
    ...authorized,
    advice_code: adviceCode ?? null,
    network_decline_code: networkCode ?? null,
    network_status: "declined_by_network",
    reason: declineCode,
    seller_message: "The bank did not return any further details with this decline.",
    type: "issuer_declined",
  };
}

function chargedDetails(method: PaymentMethod, amount: number): Charge["payment_method_details"] {
  const { sepa_debit: debit } = method;
  if (method.type === "customer_balance") return { customer_balance: {}, type: "customer_balance" };
  if (!debit) return { card: chargedCard(method, amount), type: "card" };
  const { bank_code, branch_code, country, fingerprint, last4 } = debit;
  return {
    sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate: null },
    type: "sepa_debit",
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
    extended_authorization: { status: "disabled" },
    fingerprint: card.fingerprint,
    funding: card.funding,
    incremental_authorization: { status: "unavailable" },
    installments: null,
    last4: card.last4,
    mandate: null,
    multicapture: { status: "unavailable" },
    network: card.brand,
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: amount, status: "unavailable" },
    regulated_status: "unregulated",
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  };
}

/** Creates the open payment of an invoice. */
export function newInvoicePayment(
  created: number,
  fields: { amount: number; currency: string; invoice: string; intent: string },
): InvoicePayment {
  return {
    id: newId("inpay"),
    object: "invoice_payment",
    amount_paid: null,
    amount_requested: fields.amount,
    created,
    currency: fields.currency,
    invoice: fields.invoice,
    is_default: true,
    livemode: false,
    payment: { payment_intent: fields.intent, type: "payment_intent" },
    status: "open",
    status_transitions: { canceled_at: null, paid_at: null },
  };
}

export function paidInvoicePayment(now: number, payment: InvoicePayment): InvoicePayment {
  return {
    ...payment,
    amount_paid: payment.amount_requested,
    status: "paid",
    status_transitions: { ...payment.status_transitions, paid_at: now },
  };
}

export function canceledInvoicePayment(now: number, payment: InvoicePayment): InvoicePayment {
  return {
    ...payment,
    status: "canceled",
    status_transitions: { ...payment.status_transitions, canceled_at: now },
  };
}
