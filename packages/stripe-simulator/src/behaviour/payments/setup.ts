import type { Change } from "../../account/change.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import {
  failedSetup,
  openSetupIntent,
  type SetupFields,
  type SetupIntent,
  succeededSetup,
} from "../../objects/setup_intent.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { attach } from "./card_attachment.ts";
import { cardError, cardOf } from "./card_verdict.ts";

/** Creates an intent to save a card. */
export function openSetup(change: Change, fields: SetupFields): SetupIntent {
  const intent = change.account.setupIntents.put(openSetupIntent(change.now, fields));
  change.emit("setup_intent.created", intent);
  return intent;
}

/** Saves the card. It waits for the customer where the bank wants that. Throws a 402 when the bank declines it. */
export function confirmSetup(change: Change, intent: SetupIntent, method: PaymentMethod): SetupIntent {
  const { account } = change;
  if (intent.status === "succeeded" || intent.status === "canceled") throw unexpected(intent);
  const { attach: decline, authentication } = cardOf(method);
  if (decline) {
    change.emit("setup_intent.setup_failed", account.setupIntents.put(failedSetup(intent, method, decline)));
    throw cardError(decline);
  }
  if (authentication !== null) {
    const waiting = account.setupIntents.put({
      ...intent,
      next_action: { type: "use_stripe_sdk", use_stripe_sdk: {} },
      payment_method: method.id,
      status: "requires_action",
    });
    change.emit("setup_intent.requires_action", waiting);
    return waiting;
  }
  if (intent.customer !== null) attach(change, method, account.customers.get(intent.customer));
  const done = account.setupIntents.put(succeededSetup(intent, method));
  change.emit("setup_intent.succeeded", done);
  return done;
}

export function cancelSetup(
  change: Change,
  intent: SetupIntent,
  reason: SetupIntent["cancellation_reason"],
): SetupIntent {
  if (intent.status === "succeeded" || intent.status === "canceled") throw unexpected(intent);
  const canceled = change.account.setupIntents.put({
    ...intent,
    cancellation_reason: reason,
    next_action: null,
    status: "canceled",
  });
  change.emit("setup_intent.canceled", canceled);
  return canceled;
}

function unexpected({ status }: SetupIntent) {
  return invalidRequest(`This SetupIntent's status is ${status}, which does not allow this.`, {
    code: "setup_intent_unexpected_state",
  });
}
