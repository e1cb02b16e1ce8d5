import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { hasCurrency } from "../behaviour/catalog/presentment.ts";
import { endSchedule, releaseSchedule } from "../behaviour/schedules/schedule_end.ts";
import { scheduleSubscription, updateSchedule } from "../behaviour/schedules/schedule_requests.ts";
import { addIntervals } from "../behaviour/subscriptions/billing_periods.ts";
import { cancelOnRequest } from "../behaviour/subscriptions/subscription_end.ts";
import { isRecurring, type RecurringPrice } from "../objects/price.ts";
import { newPhase, type Phase, type SubscriptionSchedule } from "../objects/subscription_schedule.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  clearable,
  currency,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../wire/params.ts";
import { isShown } from "./clock_filter.ts";
import { discounts } from "./discount_params.ts";
import { endpoint } from "./endpoint.ts";
import { prorationBehavior } from "./subscription_params.ts";

const path = "/v1/subscription_schedules";
const moment = z.union([timestamp(), oneOf("now")]);
const endBehavior = oneOf("cancel", "release");

const phase = z.strictObject({
  billing_cycle_anchor: oneOf("automatic", "phase_start").optional(),
  collection_method: oneOf("charge_automatically").optional(),
  currency: currency().optional(),
  default_payment_method: text().optional(),
  description: clearable(text(500)).optional(),
  discounts: discounts.optional(),
  duration: z.strictObject({
    interval: oneOf("day", "month", "week", "year"),
    interval_count: integer({ min: 1 }).default(1),
  }).optional(),
  end_date: moment.optional(),
  items: list(z.strictObject({
    metadata: metadata().optional(),
    price: text(),
    quantity: integer({ min: 0 }).optional(),
  })),
  metadata: metadata().optional(),
  proration_behavior: prorationBehavior.optional(),
  start_date: moment.optional(),
  trial_end: moment.optional(),
});
type PhaseParams = z.output<typeof phase>;

export const subscriptionScheduleEndpoints = [
  endpoint(`POST ${path}`, {
    customer: text().optional(),
    end_behavior: endBehavior.optional(),
    from_subscription: text().optional(),
    metadata: metadata().optional(),
    phases: list(phase).optional(),
    start_date: moment.optional(),
  }, ({ account, change, params }) => {
    const { from_subscription: id, ...others } = params;
    if (id === undefined) {
      throw invalidRequest("The Stripe simulator creates schedules with `from_subscription` only.", {
        param: "from_subscription",
      });
    }
    const [other] = Object.keys(others).filter((name) => name !== "metadata");
    if (other) {
      throw invalidRequest(`You cannot set \`${other}\` if \`from_subscription\` is set.`, { param: other });
    }
    const subscription = account.subscriptions.getReferenced(id, "from_subscription");
    const schedule = scheduleSubscription(change.of(subscription), subscription);
    if (!params.metadata) return schedule;
    return account.subscriptionSchedules.put({ ...schedule, metadata: mergeMetadata({}, params.metadata) });
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    canceled_at: timeFilter().optional(),
    completed_at: timeFilter().optional(),
    created: timeFilter().optional(),
    customer: text().optional(),
    released_at: timeFilter().optional(),
    scheduled: boolean().optional(),
  }, ({ account, params }) => {
    const found = account.subscriptionSchedules.newestFirst().filter((schedule) =>
      isShown(schedule, params) &&
      (params.customer === undefined || schedule.customer === params.customer) &&
      (params.scheduled !== true || schedule.status === "not_started") &&
      passes(schedule.created, params.created) &&
      passes(schedule.canceled_at ?? NaN, params.canceled_at) &&
      passes(schedule.completed_at ?? NaN, params.completed_at) &&
      passes(schedule.released_at ?? NaN, params.released_at)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.subscriptionSchedules.get(id)),

  endpoint(`POST ${path}/:id`, {
    end_behavior: endBehavior.optional(),
    metadata: metadata().optional(),
    phases: list(phase).optional(),
    proration_behavior: prorationBehavior.default("create_prorations"),
  }, ({ account, change: cause, params, id }) => {
    const schedule = account.subscriptionSchedules.get(id);
    rejectUnlessActive(schedule, "update");
    const change = cause.of(schedule);
    return updateSchedule(change, schedule, {
      end_behavior: params.end_behavior,
      metadata: mergeMetadata(schedule.metadata ?? {}, params.metadata),
      phases: params.phases && phasesOf(change, schedule, params.phases),
      proration: params.proration_behavior,
    });
  }),

  endpoint(`POST ${path}/:id/cancel`, {
    invoice_now: boolean().default(true),
    prorate: boolean().default(true),
  }, ({ account, change: cause, params, id }) => {
    const schedule = account.subscriptionSchedules.get(id);
    rejectUnlessActive(schedule, "cancel");
    const change = cause.of(schedule);
    const canceled = endSchedule(change, schedule, "canceled");
    const subscription = account.subscriptions.get(String(schedule.subscription));
    cancelOnRequest(change, subscription, { invoiceNow: params.invoice_now, prorate: params.prorate });
    return canceled;
  }),

  endpoint(`POST ${path}/:id/release`, { preserve_cancel_date: boolean().optional() }, (call) => {
    const schedule = call.account.subscriptionSchedules.get(call.id);
    rejectUnlessActive(schedule, "release");
    return releaseSchedule(call.change.of(schedule), schedule);
  }),
];

const participles = { cancel: "canceled", release: "released", update: "updated" };

function rejectUnlessActive({ status }: SubscriptionSchedule, verb: keyof typeof participles) {
  if (status === "active") return;
  throw invalidRequest(
    `You cannot ${verb} a subscription schedule that is currently in the \`${status}\` status. ` +
      `It must be in \`not_started\`, \`active\` status to be ${participles[verb]}.`,
  );
}

/**
 * The phases of an update. Phases that are over may be left out, the current one may not. Each phase begins when the
 * one before it ends. A phase without an end lasts until the next one begins, the last one for one interval.
 */
function phasesOf(change: Change, schedule: SubscriptionSchedule, params: PhaseParams[]): Phase[] {
  const { current_phase: current } = schedule;
  const past = schedule.phases.filter(({ end_date: end }) => end <= (current?.start_date ?? 0));
  const asked = params.filter(({ start_date: start }) =>
    typeof start !== "number" || !past.some((phase) => phase.start_date === start)
  );
  if (asked.length === 0) throw missingParameter("phases");
  const [first] = asked;
  if (first.start_date !== undefined && first.start_date !== current?.start_date) {
    throw invalidRequest("The first phase must be the current one: its `start_date` cannot be changed.", {
      param: "phases[0][start_date]",
    });
  }
  const phases: Phase[] = [];
  for (const [index, fields] of asked.entries()) {
    const start = phases.at(-1)?.end_date ?? current?.start_date ?? change.now;
    if (index > 0 && fields.start_date !== undefined && resolve(change, fields.start_date) !== start) {
      throw invalidRequest("Each phase must start when the phase before it ends.", {
        param: `phases[${index}][start_date]`,
      });
    }
    phases.push(phaseOf(change, schedule, { fields, index, start, next: asked.at(index + 1) }));
  }
  return [...past, ...phases];
}

function phaseOf(
  change: Change,
  schedule: SubscriptionSchedule,
  { fields, index, start, next }: { fields: PhaseParams; index: number; start: number; next?: PhaseParams },
): Phase {
  const { account } = change;
  const param = `phases[${index}]`;
  const [known] = schedule.phases;
  if (fields.items.length === 0) throw missingParameter(`${param}[items]`);
  const items = fields.items.map((item, position) => {
    const price = recurringPrice(account, item.price, {
      currency: known.currency,
      param: `${param}[items][${position}][price]`,
    });
    const isMetered = price.recurring.usage_type === "metered";
    if (isMetered && item.quantity !== undefined) {
      throw invalidRequest("Metered items have no quantity.", {
        param: `${param}[items][${position}][quantity]`,
      });
    }
    return {
      price,
      quantity: isMetered ? undefined : item.quantity ?? 1,
      metadata: mergeMetadata({}, item.metadata),
    };
  });
  const { duration } = fields;
  const following = next?.start_date;
  const end = fields.end_date !== undefined
    ? resolve(change, fields.end_date)
    : duration
    ? addIntervals(start, { ...items[0].price.recurring, ...duration }, 1)
    : following !== undefined
    ? resolve(change, following)
    : addIntervals(start, items[0].price.recurring, 1);
  if (end <= start || end < change.now) {
    throw invalidRequest("The `end_date` of a phase must be after its `start_date` and not in the past.", {
      param: `${param}[end_date]`,
    });
  }
  return newPhase({
    billingCycleAnchor: fields.billing_cycle_anchor ?? null,
    currency: known.currency,
    start,
    end,
    items: items.map(({ price, ...item }) => ({ ...item, price: price.id })),
    defaultPaymentMethod: fields.default_payment_method ?? null,
    description: fields.description ?? null,
    discounts: fields.discounts?.map((discount) => ({
      coupon: null,
      discount: null,
      promotion_code: null,
      ...discount,
    })),
    metadata: mergeMetadata({}, fields.metadata),
    prorationBehavior: fields.proration_behavior,
    trialEnd: fields.trial_end === undefined ? null : resolve(change, fields.trial_end),
  });
}

function recurringPrice(
  account: Account,
  id: string,
  { currency, param }: { currency: string; param: string },
): RecurringPrice {
  const price = account.prices.getReferenced(id, param);
  if (!price.active) throw invalidRequest("The price specified is inactive.", { param });
  if (!isRecurring(price)) throw invalidRequest("The price specified is not recurring.", { param });
  if (!hasCurrency(account, price, currency)) {
    throw invalidRequest(`The price specified must be in ${currency}, like the subscription.`, { param });
  }
  return price;
}

function resolve(change: Change, at: number | "now"): number {
  return at === "now" ? change.now : at;
}
