import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type PortalConfiguration = Stored<Stripe.BillingPortal.Configuration>;
export type PortalFeatures = Stripe.BillingPortal.Configuration.Features;

/** A portal session. Its URL works for `portalSessionLifetime`. */
export type PortalSession = Stored<Stripe.BillingPortal.Session>;

/** The single action that a session is limited to. */
export type PortalFlow = Stripe.BillingPortal.Session.Flow;

/** How long the URL of a portal session works, in seconds. Stripe publishes no number. */
export const portalSessionLifetime = 3600;

export interface PortalConfigurationFields {
  businessProfile: Stripe.BillingPortal.Configuration.BusinessProfile;
  defaultReturnUrl: string | null;
  features: PortalFeatures;
  isDefault: boolean;
  metadata: Stripe.Metadata;
  name: string | null;
}

export function newPortalConfiguration(
  created: number,
  fields: PortalConfigurationFields,
): PortalConfiguration {
  return {
    id: newId("bpc"),
    object: "billing_portal.configuration",
    active: true,
    application: null,
    business_profile: fields.businessProfile,
    created,
    default_return_url: fields.defaultReturnUrl,
    features: fields.features,
    is_default: fields.isDefault,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: fields.metadata,
    name: fields.name,
    updated: created,
  };
}

/** All features disabled: the base of a new configuration. */
export const noPortalFeatures: PortalFeatures = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: [] },
    enabled: false,
    mode: "at_period_end",
    proration_behavior: "none",
  },
  subscription_pause: { duration: { interval_options: [], type: "indefinite" }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: [],
    enabled: false,
    products: null,
    proration_behavior: "none",
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: "end_trial",
  },
};

/**
 * The features of the account's default configuration, as saved in a new sandbox: invoices, card, cancel at period
 * end.
 */
export const defaultPortalFeatures: PortalFeatures = {
  ...noPortalFeatures,
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true, payment_method_configuration: null },
  subscription_cancel: { ...noPortalFeatures.subscription_cancel, enabled: true },
};

export function newPortalSession(
  created: number,
  fields: {
    configuration: string;
    customer: string;
    flow: PortalFlow | null;
    locale: string | null;
    returnUrl: string | null;
    url: string;
  },
): PortalSession {
  return {
    id: newId("bps"),
    object: "billing_portal.session",
    after_expiration: null,
    configuration: fields.configuration,
    created,
    customer: fields.customer,
    customer_account: null,
    flow: fields.flow,
    livemode: false,
    locale: fields.locale,
    on_behalf_of: null,
    return_url: fields.returnUrl,
    url: fields.url,
  };
}
