import type Stripe from "stripe";
import { completeList, type List } from "../wire/list.ts";
import { newId } from "./ids.ts";
import { planOf, type Price, type RecurringPrice } from "./price.ts";
import type { Plan } from "./price.ts";
import type { Stored } from "./stored_object.ts";

export type Subscription = Omit<Stored<Stripe.Subscription>, "items" | "pending_update"> & {
  items: List<SubscriptionItem>;
  pending_update: PendingUpdate | null;
};
type PendingUpdate = Omit<Stripe.Subscription.PendingUpdate, "subscription_items"> & {
  subscription_items: SubscriptionItem[] | null;
};
export type SubscriptionItem = Omit<Stored<Stripe.SubscriptionItem>, "price" | "plan"> & {
  price: Price;
  plan: Plan;
};

type PaymentMethodOptions = NonNullable<Stripe.Subscription["payment_settings"]>["payment_method_options"];

/** `payment_method_options` of a subscription that Checkout created. */
export const checkoutPaymentOptions: PaymentMethodOptions = {
  acss_debit: null,
  bancontact: null,
  card: { network: null, request_three_d_secure: "automatic" },
  customer_balance: null,
  konbini: null,
  payto: null,
  pix: null,
  sepa_debit: null,
  upi: null,
  us_bank_account: null,
};

/** A period in Unix seconds. The end is excluded. */
export interface Period {
  start: number;
  end: number;
}

export interface SubscriptionFields {
  customer: string;
  currency: string;
  items: SubscriptionItem[];
  id: string;
  metadata: Stripe.Metadata;
  description: string | null;
  billingMode: "classic" | "flexible";
  billingCycleAnchor: number;
  trial: Period | null;
  /** The settings of Checkout. Null for a subscription that was created by API. */
  paymentMethodOptions?: PaymentMethodOptions;
  missingPaymentMethod: Stripe.Subscription.TrialSettings.EndBehavior["missing_payment_method"];
  defaultPaymentMethod: string | null;
  /** The ids of the discounts. */
  discounts?: string[];
  isTaxed?: boolean;
  latestInvoice: string | null;
  testClock: string | null;
}

/** Creates a subscription: trialing with a trial, else active. */
export function newSubscription(created: number, fields: SubscriptionFields): Subscription {
  return {
    id: fields.id,
    object: "subscription",
    application: null,
    application_fee_percent: null,
    automatic_tax: {
      disabled_reason: null,
      enabled: fields.isTaxed ?? false,
      liability: fields.isTaxed ? { type: "self" } : null,
    },
    billing_cycle_anchor: fields.billingCycleAnchor,
    billing_cycle_anchor_config: null,
    billing_mode: {
      flexible: fields.billingMode === "flexible" ? { proration_discounts: "included" } : null,
      type: fields.billingMode,
      ...(fields.billingMode === "flexible" ? { updated_at: created } : {}),
    },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: "charge_automatically",
    created,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: fields.defaultPaymentMethod,
    default_source: null,
    default_tax_rates: [],
    description: fields.description,
    discounts: fields.discounts ?? [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: completeList(fields.items, `/v1/subscription_items?subscription=${fields.id}`),
    latest_invoice: fields.latestInvoice,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: fields.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: fields.paymentMethodOptions ?? null,
      payment_method_types: null,
      save_default_payment_method: "off",
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status: fields.trial ? "trialing" : "active",
    test_clock: fields.testClock,
    transfer_data: null,
    trial_end: fields.trial?.end ?? null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: fields.missingPaymentMethod },
    },
    trial_start: fields.trial?.start ?? null,
  };
}

/** Creates a subscription item. A metered item has no quantity. */
export function newSubscriptionItem(
  created: number,
  fields: {
    subscription: string;
    price: RecurringPrice;
    quantity: number | undefined;
    period: Period;
    metadata?: Stripe.Metadata;
  },
): SubscriptionItem {
  return {
    id: newId("si", 14),
    object: "subscription_item",
    billing_thresholds: null,
    created,
    current_period_end: fields.period.end,
    current_period_start: fields.period.start,
    current_trial: null,
    discounts: [],
    metadata: fields.metadata ?? {},
    plan: planOf(fields.price),
    price: fields.price,
    ...(fields.quantity === undefined ? {} : { quantity: fields.quantity }),
    subscription: fields.subscription,
    tax_rates: [],
  };
}

/** True for the final statuses. */
export function hasEnded(subscription: Subscription): boolean {
  return subscription.status === "canceled" || subscription.status === "incomplete_expired";
}

/** The latest period end of the items, in seconds. */
export function currentPeriodEnd(subscription: Subscription): number {
  return Math.max(...subscription.items.data.map((item) => item.current_period_end));
}

/** True when the subscription is scheduled to end, by `cancel_at` or `cancel_at_period_end`. */
export function isSetToCancel(subscription: Subscription): boolean {
  return subscription.cancel_at !== null || subscription.cancel_at_period_end;
}
