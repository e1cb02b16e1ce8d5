import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";
import type { Subscription, SubscriptionItem } from "./subscription.ts";

export type SubscriptionSchedule =
  & Omit<Stored<Stripe.SubscriptionSchedule>, "phases" | "pause_schedules">
  & { phases: Phase[]; pause_schedules: never[] };

/** What a subscription contains from `start_date` until `end_date`, in Unix seconds. */
export type Phase = Omit<Stored<Stripe.SubscriptionSchedule.Phase>, "discounts" | "items"> & {
  discounts: PhaseDiscount[];
  items: PhaseItem[];
};
export type PhaseItem = Omit<Stored<Stripe.SubscriptionSchedule.Phase.Item>, "discounts"> & {
  discounts: PhaseDiscount[];
};
export interface PhaseDiscount {
  coupon: string | null;
  discount: string | null;
  promotion_code: string | null;
}

/** The fields of a phase that a request can set. */
export interface PhaseFields {
  currency: string;
  start: number;
  end: number;
  items: { price: string; quantity: number | undefined; metadata: Stripe.Metadata }[];
  billingCycleAnchor?: "automatic" | "phase_start" | null;
  defaultPaymentMethod?: string | null;
  description?: string | null;
  discounts?: PhaseDiscount[];
  metadata?: Stripe.Metadata;
  prorationBehavior?: "always_invoice" | "create_prorations" | "none";
  trialEnd?: number | null;
}

export function newPhase(fields: PhaseFields): Phase {
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    billing_cycle_anchor: fields.billingCycleAnchor ?? null,
    billing_thresholds: null,
    collection_method: null,
    currency: fields.currency,
    default_payment_method: fields.defaultPaymentMethod ?? null,
    default_tax_rates: [],
    description: fields.description ?? null,
    discounts: fields.discounts ?? [],
    end_date: fields.end,
    invoice_settings: null,
    items: fields.items.map(({ price, quantity, metadata }) => ({
      billing_thresholds: null,
      discounts: [],
      metadata,
      plan: price,
      price,
      ...(quantity === undefined ? {} : { quantity }),
      tax_rates: [],
    })),
    metadata: fields.metadata ?? {},
    on_behalf_of: null,
    proration_behavior: fields.prorationBehavior ?? "create_prorations",
    start_date: fields.start,
    transfer_data: null,
    trial_end: fields.trialEnd ?? null,
  };
}

/** Creates the schedule of an existing subscription: one phase, the subscription as it is until its period ends. */
export function newScheduleFor(
  created: number,
  subscription: Subscription,
  phase: Phase,
): SubscriptionSchedule {
  const { type, flexible } = subscription.billing_mode;
  return {
    id: newId("sub_sched"),
    object: "subscription_schedule",
    application: null,
    billing_mode: { flexible, type },
    canceled_at: null,
    completed_at: null,
    created,
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
    customer: subscription.customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: {
        disabled_reason: null,
        enabled: subscription.automatic_tax.enabled,
        liability: subscription.automatic_tax.enabled ? { type: "self" } : null,
      },
      billing_cycle_anchor: "automatic",
      billing_thresholds: null,
      collection_method: "charge_automatically",
      default_payment_method: subscription.default_payment_method,
      description: subscription.description,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: "self" },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: subscription.cancel_at === null ? "release" : "cancel",
    livemode: false,
    metadata: {},
    pause_schedules: [],
    phases: [phase],
    released_at: null,
    released_subscription: null,
    status: "active",
    subscription: subscription.id,
    test_clock: subscription.test_clock,
  };
}

/** The items of a subscription as items of a phase. */
export function phaseItemsOf(items: SubscriptionItem[]): PhaseFields["items"] {
  return items.map(({ price, quantity, metadata }) => ({ price: price.id, quantity, metadata }));
}

/** The phase that the schedule is in. Undefined when it is not active. */
export function currentPhaseOf({ current_phase: current, phases }: SubscriptionSchedule): Phase | undefined {
  return current ? phases.find(({ start_date: start }) => start === current.start_date) : undefined;
}
/** The phase after the one that the schedule is in. Undefined when there is none. */
export function nextPhaseOf({ current_phase: current, phases }: SubscriptionSchedule): Phase | undefined {
  return current ? phases.find(({ start_date: start }) => start >= current.end_date) : undefined;
}
