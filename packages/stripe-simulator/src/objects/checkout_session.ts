import type Stripe from "stripe";
import type { Price } from "./price.ts";
import type { Stored } from "./stored_object.ts";

export type CheckoutSession = Stored<Stripe.Checkout.Session>;
export type LineItem = Omit<Stored<Stripe.LineItem>, "price"> & { price: Price };

/** What a session sells. Stored beside the session, because the session object does not show it. */
export interface CheckoutOrder {
  /** The session's id. */
  id: string;
  items: OrderedItem[];
  /** True for `customer_update[name]=auto`: the name entered at checkout becomes the customer's. */
  updatesCustomerName: boolean;
  terms: PaymentTerms | SetupTerms | SubscriptionTerms;
  /** The coupons to redeem, with the promotion codes that led to them. */
  coupons?: { coupon: string; promotionCode: string | null }[];
  /** True when the currency was given and the page offers no other. */
  isCurrencyFixed?: boolean;
  /** True for `automatic_tax`. */
  isTaxed?: boolean;
  /** The amounts of the items, in their order. */
  lines?: QuotedLine[];
  /** True for `customer_update[address]=auto`: the address entered at checkout becomes the customer's. */
  savesAddress?: boolean;
}

/** The amounts of one item. `total` includes tax that is added to the price. */
export interface QuotedLine {
  subtotal: number;
  discount: number;
  tax: number;
  total: number;
}

/** The fields of the payment intent in payment mode. */
export interface PaymentTerms {
  mode: "payment";
  description: string | null;
  metadata: Stripe.Metadata;
  savesCard: boolean;
  shipping: Stripe.PaymentIntent["shipping"];
}

/** The fields of the setup intent in setup mode. */
export interface SetupTerms {
  mode: "setup";
  description: string | null;
  metadata: Stripe.Metadata;
}

/** The fields of the subscription in subscription mode. */
export interface SubscriptionTerms {
  mode: "subscription";
  billingMode: "classic" | "flexible";
  description: string | null;
  metadata: Stripe.Metadata;
  missingPaymentMethod: Stripe.Subscription.TrialSettings.EndBehavior["missing_payment_method"];
  /** A number of days from completion, a fixed end in seconds, or no trial. */
  trial: { days: number } | { end: number } | null;
}

export interface OrderedItem {
  id: string;
  price: string;
  /** Undefined for a metered price. */
  quantity: number | undefined;
  /** The metadata of the subscription item. */
  metadata?: Stripe.Metadata;
  /** How far the quantity can be changed on the page. */
  adjustableQuantity?: Stripe.LineItem.AdjustableQuantity | null;
}

/** Where a session's page is and where the customer goes afterwards. */
export type CheckoutPlace =
  | { uiMode: "hosted_page"; url: string; successUrl: string; cancelUrl: string | null }
  | {
    uiMode: "embedded_page";
    clientSecret: string;
    returnUrl: string | undefined;
    redirectOnCompletion: "always" | "if_required" | "never";
  };

export interface CheckoutSessionFields {
  id: string;
  mode: "payment" | "setup" | "subscription";
  place: CheckoutPlace;
  /** Null in setup mode. */
  amountTotal: number | null;
  clientReferenceId: string | null;
  currency: string | null;
  customer: string | null;
  customerCreation: "always" | "if_required" | null;
  customerEmail: string | null;
  /** The e-mail address that is known already, the customer's or the given one. */
  payerEmail: string | null;
  expiresAt: number;
  locale: string | null;
  metadata: Stripe.Metadata;
  allowPromotionCodes: boolean | null;
  billingAddressCollection: "auto" | "required" | null;
  paymentMethodCollection: "always" | "if_required" | null;
  isTaxed?: boolean;
  /** `tax_id_collection`. Undefined when it is not enabled. */
  taxIdCollection?: CheckoutSession["tax_id_collection"];
}

/** Creates an open session. Customer, subscription, invoice and intents are set when it completes. */
export function newCheckoutSession(created: number, fields: CheckoutSessionFields): CheckoutSession {
  return {
    id: fields.id,
    object: "checkout.session",
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: fields.allowPromotionCodes,
    allowed_payment_method_types: null,
    amount_subtotal: fields.amountTotal,
    amount_total: fields.amountTotal,
    automatic_tax: {
      enabled: fields.isTaxed ?? false,
      liability: fields.isTaxed ? { type: "self" } : null,
      provider: fields.isTaxed ? "stripe" : null,
      status: fields.isTaxed ? "requires_location_inputs" : null,
    },
    billing_address_collection: fields.billingAddressCollection,
    branding_settings: {
      background_color: "#ffffff",
      border_style: "rounded",
      button_color: "#0074d4",
      display_name: "Sandbox",
      font_family: "default",
      icon: null,
      logo: null,
    },
    client_reference_id: fields.clientReferenceId,
    collected_information: { business_name: null, individual_name: null, shipping_details: null },
    consent: null,
    consent_collection: null,
    created,
    currency: fields.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: fields.customer,
    customer_account: null,
    customer_creation: fields.customerCreation,
    customer_details: fields.payerEmail === null ? null : {
      address: null,
      business_name: null,
      email: fields.payerEmail,
      individual_name: null,
      name: null,
      phone: null,
      tax_exempt: "none",
      tax_ids: null,
    },
    customer_email: fields.customerEmail,
    discounts: [],
    expires_at: fields.expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: fields.locale,
    managed_payments: { enabled: false },
    metadata: fields.metadata,
    mode: fields.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: fields.paymentMethodCollection,
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: "automatic" } },
    payment_method_types: ["card"],
    payment_status: fields.mode === "setup" ? "no_payment_required" : "unpaid",
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: {
      allow_redisplay_filters: ["always"],
      payment_method_remove: "disabled",
      payment_method_save: null,
    },
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: "open",
    submit_type: null,
    subscription: null,
    ...(fields.taxIdCollection ? { tax_id_collection: fields.taxIdCollection } : {}),
    total_details: fields.amountTotal === null ? null : noDetails,
    wallet_options: null,
    ...placeFields(fields.place),
  };
}

const noDetails: CheckoutSession["total_details"] = { amount_discount: 0, amount_shipping: 0, amount_tax: 0 };

type PlaceFields = Pick<
  CheckoutSession,
  | "cancel_url"
  | "client_secret"
  | "redirect_on_completion"
  | "return_url"
  | "success_url"
  | "ui_mode"
  | "url"
>;

function placeFields(place: CheckoutPlace): PlaceFields {
  if (place.uiMode === "hosted_page") {
    const { url, successUrl: success_url, cancelUrl: cancel_url } = place;
    return { cancel_url, client_secret: null, success_url, ui_mode: "hosted_page", url };
  }
  return {
    cancel_url: null,
    client_secret: place.clientSecret,
    redirect_on_completion: place.redirectOnCompletion,
    ...(place.returnUrl === undefined ? {} : { return_url: place.returnUrl }),
    success_url: null,
    ui_mode: "embedded_page",
    url: null,
  };
}

/** The address to which the customer returns after paying. The session itself shows the template. */
export function returnAddress({ id, return_url, success_url }: CheckoutSession): string | null {
  return (success_url ?? return_url)?.replaceAll("{CHECKOUT_SESSION_ID}", id) ?? null;
}

export function newLineItem(
  item: OrderedItem,
  price: Price,
  fields: { amount: number; description: string },
): LineItem {
  return {
    id: item.id,
    object: "item",
    adjustable_quantity: item.adjustableQuantity ?? null,
    amount_discount: 0,
    amount_subtotal: fields.amount,
    amount_tax: 0,
    amount_total: fields.amount,
    currency: price.currency,
    description: fields.description,
    metadata: item.metadata ?? {},
    price,
    quantity: item.quantity ?? null,
  };
}
