import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { PaymentMethod } from "./payment_method.ts";
import type { Stored } from "./stored_object.ts";
import type { Decline } from "./test_card.ts";

export type SetupIntent = Stored<Stripe.SetupIntent>;

export interface SetupFields {
  customer: string | null;
  description: string | null;
  metadata: Stripe.Metadata;
}

/** Creates the intent of a card that was saved without a charge. */
export function newSetupIntent(created: number, fields: SetupFields, method: PaymentMethod): SetupIntent {
  return succeededSetup(openSetupIntent(created, fields), method);
}

/** Returns the intent after the card was saved. */
export function succeededSetup(intent: SetupIntent, method: PaymentMethod): SetupIntent {
  return { ...intent, next_action: null, payment_method: method.id, status: "succeeded" };
}

/** Creates the intent of a card that the bank declined to save. */
export function newFailedSetupIntent(
  created: number,
  fields: SetupFields,
  method: PaymentMethod,
  decline: Decline,
): SetupIntent {
  return failedSetup(openSetupIntent(created, fields), method, decline);
}

/** Returns the intent after the bank declined to save the card. */
export function failedSetup(intent: SetupIntent, method: PaymentMethod, decline: Decline): SetupIntent {
  return {
    ...intent,
    last_setup_error: {
      code: decline.code,
      decline_code: decline.declineCode,
      message: decline.message,
      payment_method: method,
      type: "card_error",
    },
  };
}

/** Creates an intent that requires a payment method. */
export function openSetupIntent(created: number, fields: SetupFields): SetupIntent {
  const id = newId("seti");
  return {
    id,
    object: "setup_intent",
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: newId(`${id}_secret`),
    created,
    customer: fields.customer,
    customer_account: null,
    description: fields.description,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: { enabled: false },
    mandate: null,
    metadata: fields.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { mandate_options: null, network: null, request_three_d_secure: "automatic" },
    },
    payment_method_types: ["card"],
    single_use_mandate: null,
    status: "requires_payment_method",
    usage: "off_session",
  };
}
