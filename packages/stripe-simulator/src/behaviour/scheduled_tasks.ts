import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { CheckoutSession } from "../objects/checkout_session.ts";
import type { Charge } from "../objects/payment.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { MeterErrors, ReceivedMeterEvent } from "../objects/meter.ts";
import type { PendingPayment } from "../objects/pending_payment.ts";
import { hasEnded, type Subscription } from "../objects/subscription.ts";
import type { TestClock } from "../objects/test_clock.ts";
import { expireCheckout } from "./checkout/checkout_payment.ts";
import { checkMeterEvent, reportMeterErrors } from "./meters/meter_event_intake.ts";
import { collectAutomatically, finalizeDraft } from "./payments/payment_collection.ts";
import { settle } from "./payments/settlement.ts";
import { nextStepAt, takeStep } from "./schedules/schedule_steps.ts";
import { disputeCharge } from "./refunds/disputes.ts";
import { renew } from "./subscriptions/renewal.ts";
import { announceRenewal, announceTrialEnd } from "./subscriptions/renewal_notices.ts";
import {
  cancelAsScheduled,
  expireIncomplete,
  expirePendingUpdate,
} from "./subscriptions/subscription_end.ts";
import { updateSubscription } from "./subscriptions/subscription_update.ts";
import { deleteClock } from "./test_clock_control.ts";

/** Something that happens without a request. */
export interface ScheduledTask {
  /** When it is due, in Unix seconds. */
  at: number;
  run(change: Change): void;
}

const daySeconds = 86_400;
/** `pm_card_createDispute`, `…Inquiry` and `…ProductNotReceived`. */
const disputedCards = new Set(["4000000000000259", "4000000000001976", "4000000000002685"]);
const incompleteFor = 23 * 3600;
const trialNotice = 3 * daySeconds;

/** The next task of an object. Undefined for an object without one. */
export function nextTask(account: Account, object: object): ScheduledTask | undefined {
  const tasks = tasksOf(account, object);
  return tasks.reduce<ScheduledTask | undefined>(
    (next, task) => next && next.at <= task.at ? next : task,
    undefined,
  );
}

/** All tasks of an object. Of two tasks at the same second the first runs first. */
function tasksOf(account: Account, object: object): ScheduledTask[] {
  switch (Reflect.get(object, "object")) {
    case "charge":
      return chargeTasks(account, object as Charge);
    case "checkout.session":
      return checkoutTasks(object as CheckoutSession);
    case "invoice":
      return invoiceTasks(object as Invoice);
    case "meter_errors":
      return meterErrorTasks(account, object as MeterErrors);
    case "pending_payment":
      return [{
        at: (object as PendingPayment).at,
        run: (change) => void settle(change, object as PendingPayment),
      }];
    case "received_meter_event":
      return meterEventTasks(object as ReceivedMeterEvent);
    case "subscription":
      return subscriptionTasks(account, object as Subscription);
    case "test_helpers.test_clock":
      return testClockTasks(account, object as TestClock);
    default:
      return [];
  }
}

/** Meter events are validated soon after their request, as in Stripe. */
function meterEventTasks(received: ReceivedMeterEvent): ScheduledTask[] {
  if (received.status !== "received") return [];
  return [{ at: 0, run: (change) => checkMeterEvent(change, received) }];
}

function meterErrorTasks(account: Account, errors: MeterErrors): ScheduledTask[] {
  const at = errors.since + account.billingSettings.meter_report_seconds;
  return [{ at, run: (change) => reportMeterErrors(change, errors) }];
}

/** Charges of the test card for disputes are disputed soon after (https://docs.stripe.com/testing#disputes). */
function chargeTasks(account: Account, charge: Charge): ScheduledTask[] {
  const number = charge.payment_method_details?.card?.fingerprint?.replace("sim", "");
  if (!charge.paid || charge.disputed || !disputedCards.has(number ?? "")) return [];
  return [{ at: charge.created, run: (change) => disputeCharge(change, account.charges.get(charge.id)) }];
}

function checkoutTasks(session: CheckoutSession): ScheduledTask[] {
  if (session.status !== "open") return [];
  return [{ at: session.expires_at, run: (change) => expireCheckout(change, session) }];
}

function testClockTasks(account: Account, clock: TestClock): ScheduledTask[] {
  if (clock.status === "advancing" || !account.testClocks.find(clock.id)) return [];
  return [{ at: clock.deletes_after, run: (change) => deleteClock(change, clock) }];
}

function invoiceTasks(invoice: Invoice): ScheduledTask[] {
  const { automatically_finalizes_at: finalizesAt, next_payment_attempt: attemptAt } = invoice;
  if (invoice.status === "draft" && finalizesAt !== null) {
    return [{ at: finalizesAt, run: (change) => finalizeAndCollect(change, invoice) }];
  }
  if (invoice.status === "open" && attemptAt !== null) {
    return [{ at: attemptAt, run: (change) => collectAutomatically(change, invoice) }];
  }
  return [];
}

function finalizeAndCollect(change: Change, draft: Invoice) {
  const invoice = finalizeDraft(change, draft);
  if (invoice.status !== "open" || invoice.collection_method === "send_invoice") return;
  collectAutomatically(change, invoice);
}

function subscriptionTasks(account: Account, subscription: Subscription): ScheduledTask[] {
  if (hasEnded(subscription)) return [];
  const { cancel_at: cancelAt, pause_collection: pause, status } = subscription;
  const tasks: ScheduledTask[] = [];
  const plan = (at: number | null | undefined, run: ScheduledTask["run"]) => {
    if (typeof at === "number") tasks.push({ at, run });
  };
  plan(cancelAt, (change) => cancelAsScheduled(change, subscription));
  if (status === "incomplete") {
    plan(subscription.created + incompleteFor, (change) => expireIncomplete(change, subscription));
    return tasks;
  }
  if (status === "paused") return tasks;
  plan(pause?.resumes_at, (change) => {
    updateSubscription(change, subscription, { ...subscription, pause_collection: null });
  });
  plan(subscription.pending_update?.expires_at, (change) => expirePendingUpdate(change, subscription));
  plan(trialEndNoticeAt(account, subscription), (change) => announceTrialEnd(change, subscription));
  plan(renewalNoticeAt(account, subscription), (change) => announceRenewal(change, subscription));
  plan(nextStepAt(account, subscription), (change) => takeStep(change, subscription));
  plan(periodEnd(subscription), (change) => renew(change, subscription));
  return tasks;
}

function periodEnd({ items }: Subscription): number {
  return Math.min(...items.data.map((item) => item.current_period_end));
}

/** Three days before the end of the trial, or immediately when the trial is shorter. */
function trialEndNoticeAt(account: Account, subscription: Subscription): number | null {
  const { status, trial_end: end, trial_start: start } = subscription;
  if (status !== "trialing" || end === null) return null;
  if (account.advanceNotices.find(subscription.id)?.trialEnd === end) return null;
  return Math.max(start ?? subscription.created, end - trialNotice);
}

function renewalNoticeAt(account: Account, subscription: Subscription): number | null {
  const days = account.billingSettings.upcoming_days;
  const end = periodEnd(subscription);
  const at = end - days * daySeconds;
  const isDue = days > 0 && !subscription.cancel_at && subscription.status !== "unpaid" &&
    at > subscription.items.data[0].current_period_start;
  return isDue && account.advanceNotices.find(subscription.id)?.periodEnd !== end ? at : null;
}
