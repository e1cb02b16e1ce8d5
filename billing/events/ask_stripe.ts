import type Stripe from "stripe";
import type { Deadline } from "../deadline.ts";
import { askStripe, isMissing } from "../stripe.ts";
import type { ObjectKind } from "./read_event.ts";
import { readInvoice } from "./read_invoice.ts";
import { readSubscription } from "./read_subscription.ts";
import type { ObjectReading } from "./stripe_fields.ts";

/** What Stripe says about an object. Null: Stripe does not know it. */
export interface StripeAnswer {
  found: ObjectReading<{ id: string; status: string }> | null;
  /** Stripe's clock at the answer: the created times of its events are of that clock, too. */
  answeredAt: Date;
}

/** The most objects that Stripe returns on a page. */
const PAGE = 100;

/** What is given as ids otherwise. */
export const subscriptionExpand = ["discounts.source.coupon", "schedule"];

/**
 * Asks Stripe for the current state of a subscription or invoice, with all of its items or lines. Nothing may be locked
 * meanwhile, nor a connection to the database held.
 *
 * Throws as askStripe(), and `z.ZodError` when the answer is not understood.
 */
export async function askForObject(
  stripe: Stripe,
  kind: ObjectKind,
  id: string,
  deadline: Deadline,
): Promise<StripeAnswer> {
  let answer: Stripe.Response<Stripe.Subscription | Stripe.Invoice>;
  try {
    answer = await askStripe<typeof answer>(
      deadline,
      (options) =>
        kind === "subscription"
          ? stripe.subscriptions.retrieve(id, { expand: subscriptionExpand }, options)
          : stripe.invoices.retrieve(id, {}, options),
    );
  } catch (error) {
    if (isOtherMode(error) || !isMissing(error)) throw error;
    return { found: null, answeredAt: clockOf(error.headers) };
  }
  const object = toPlain(answer);
  if (kind === "subscription") {
    await completeList(object.items, (after) => itemsOf(stripe, id, after, deadline));
  } else await completeList(object.lines, (after) => linesOf(stripe, id, after, deadline));
  const found = kind === "subscription" ? readSubscription(object) : readInvoice(object);
  return { found, answeredAt: clockOf(answer.lastResponse.headers) };
}

/** The key is of the wrong mode: this says nothing about whether the object exists. */
const isOtherMode = (error: unknown) =>
  isMissing(error) && /similar object exists in (test|live) mode/i.test(error.message);

type List = { data: { id: string }[]; has_more: boolean };

const itemsOf = (
  stripe: Stripe,
  subscription: string,
  starting_after: string | undefined,
  deadline: Deadline,
) =>
  askStripe<List>(
    deadline,
    (options) => stripe.subscriptionItems.list({ subscription, limit: PAGE, starting_after }, options),
  );

const linesOf = (stripe: Stripe, invoice: string, starting_after: string | undefined, deadline: Deadline) =>
  askStripe<List>(
    deadline,
    (options) => stripe.invoices.listLineItems(invoice, { limit: PAGE, starting_after }, options),
  );

/** Adds the pages after the one that an object contains. */
async function completeList(
  list: unknown,
  nextPage: (after: string | undefined) => Promise<List>,
): Promise<void> {
  const partial = list as List | undefined;
  while (partial?.has_more) {
    const page = await nextPage(partial.data.at(-1)?.id);
    partial.data.push(...toPlain(page).data as List["data"]);
    partial.has_more = page.has_more;
  }
}

/** As Stripe wrote it, without what the SDK adds. */
export const toPlain = (answer: object): Record<string, unknown> => JSON.parse(JSON.stringify(answer));

/** Headers as fetch gives them. */
type HeaderMap = { get(name: string): string | null };

/**
 * When Stripe answered, by its own clock. The SDK gives the headers of an answer as they come: an object of Node's, or what
 * fetch has, whatever its types say.
 */
export function clockOf(headers: Record<string, string> | HeaderMap | undefined): Date {
  const text = isHeaderMap(headers) ? headers.get("date") : headers?.date;
  const date = new Date(text ?? NaN);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

const isHeaderMap = (headers: object | undefined): headers is HeaderMap =>
  headers !== undefined && "get" in headers && typeof headers.get === "function";
