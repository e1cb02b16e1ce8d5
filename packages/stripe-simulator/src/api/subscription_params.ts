import { z } from "zod";
import type { Change } from "../account/change.ts";
import { cancelingAtPeriodEnd, continuing } from "../behaviour/subscriptions/cancellation.ts";
import { currentPeriodEnd, type Subscription } from "../objects/subscription.ts";
import { invalidRequest } from "../wire/errors.ts";
import { boolean, clearable, integer, metadata, oneOf, text, timestamp } from "../wire/params.ts";

/* Parameters shared by creating, updating, previewing and canceling subscriptions. */

export const feedback = z.strictObject({
  comment: clearable(text()).optional(),
  feedback: clearable(text()).optional(),
});

const quantity = integer({ min: 0 }).optional();

/** An item names its price. `plan` is the former word. */
const priced = { plan: text().optional(), price: text().optional() };

/** Takes the price from either parameter. */
function withPrice<Item extends { plan?: string; price?: string }>(item: Item): Omit<Item, "plan"> {
  const { plan, ...rest } = item;
  return { ...rest, price: item.price ?? plan };
}

export const newItem = z.strictObject({ metadata: metadata().optional(), ...priced, quantity })
  .transform((item, context) => {
    const { price, ...rest } = withPrice(item);
    if (price !== undefined) return { ...rest, price };
    context.addIssue({ code: "invalid_type", expected: "string", input: undefined, path: ["price"] });
    return z.NEVER;
  });

export const itemChange = z.strictObject({
  clear_usage: oneOf("false").optional(),
  deleted: boolean().optional(),
  id: text().optional(),
  metadata: metadata().optional(),
  ...priced,
  quantity,
}).transform(withPrice);

export const prorationBehavior = oneOf("always_invoice", "create_prorations", "none");

export const paymentBehavior = oneOf(
  "allow_incomplete",
  "default_incomplete",
  "error_if_incomplete",
  "pending_if_incomplete",
);

export const trialSettings = z.strictObject({
  end_behavior: z.strictObject({ missing_payment_method: oneOf("cancel", "create_invoice", "pause") }),
});

export const anchorType = z.strictObject({ type: oneOf("now", "unchanged") });

/** The parameters that schedule the end of a subscription. */
export const schedule = {
  cancel_at: clearable(z.union([timestamp(), oneOf("min_period_end", "max_period_end")])).optional(),
  cancel_at_period_end: boolean().optional(),
};
export type Schedule = z.output<z.ZodObject<typeof schedule>>;

/** Returns the subscription with its end scheduled or unscheduled. Throws Stripe's 400s. */
export function withSchedule(change: Change, subscription: Subscription, params: Schedule): Subscription {
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = params;
  if (at !== undefined && atPeriodEnd === true) {
    throw invalidRequest("You may only specify one of these parameters: cancel_at, cancel_at_period_end.");
  }
  if (at === null || atPeriodEnd === false) return continuing(subscription);
  if (atPeriodEnd === undefined && at === undefined) return subscription;
  return {
    ...cancelingAtPeriodEnd(change, subscription),
    cancel_at: at === undefined ? earliestPeriodEnd(subscription) : moment(subscription, at, change.now),
    cancel_at_period_end: atPeriodEnd === true,
  };
}

export function earliestPeriodEnd(subscription: Subscription): number {
  return Math.min(...subscription.items.data.map((item) => item.current_period_end));
}

/** `min_period_end` and `max_period_end` are resolved now and do not follow later changes of the period. */
function moment(
  subscription: Subscription,
  at: number | "min_period_end" | "max_period_end",
  now: number,
): number {
  if (at === "min_period_end") return earliestPeriodEnd(subscription);
  if (at === "max_period_end") return currentPeriodEnd(subscription);
  if (at > now) return at;
  throw invalidRequest("`cancel_at` must be a timestamp in the future.", { param: "cancel_at" });
}
