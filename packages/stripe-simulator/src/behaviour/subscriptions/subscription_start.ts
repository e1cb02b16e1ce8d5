import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { OrderedItem } from "../../objects/checkout_session.ts";
import type { Customer } from "../../objects/customer.ts";
import type { Discount } from "../../objects/coupon.ts";
import { newId } from "../../objects/ids.ts";
import type { Invoice, InvoiceFields, InvoiceLine } from "../../objects/invoice.ts";
import { type InvoiceItem, newInvoiceItem } from "../../objects/invoice_item.ts";
import { type InvoicePayment, paidInvoicePayment, type PaymentIntent } from "../../objects/payment.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { isRecurring, type RecurringPrice } from "../../objects/price.ts";
import {
  newSubscription,
  newSubscriptionItem,
  type Period,
  type Subscription,
  type SubscriptionFields,
  type SubscriptionItem,
} from "../../objects/subscription.ts";
import type { AppliedCoupon } from "../discounts/discount_amounts.ts";
import { redeem, type Redeemable, withoutSpent } from "../discounts/redemption.ts";
import { inCurrency } from "../catalog/presentment.ts";
import { paidOnce } from "../catalog/order_items.ts";
import { planDraft, storeDraft } from "../invoices/invoice_draft.ts";
import {
  isMetered,
  lineForItem,
  priceInAdvance,
  productName,
  recurringPriceOf,
} from "../invoices/invoice_lines.ts";
import { finalizeInvoice, paidInvoice } from "../invoices/invoice_states.ts";
import type { Presence } from "../payments/card_verdict.ts";
import { type Attempt, openPayment, tryCard } from "../payments/payment_collection.ts";
import { recordBalance } from "../refunds/customer_balance.ts";
import { firstPeriod, periodAt, shareOf } from "./billing_periods.ts";

export interface SubscribeOrder {
  customer: Customer;
  items: OrderedItem[];
  /** The payment method that becomes the subscription's default. Null when it has none of its own. */
  method: PaymentMethod | null;
  trial: Period | null;
  terms: Pick<
    SubscriptionFields,
    | "billingMode"
    | "description"
    | "isTaxed"
    | "metadata"
    | "missingPaymentMethod"
    | "paymentMethodOptions"
  >;
  /** The payment method for the first invoice, and the customer's presence. Null leaves the invoice open. */
  payment: { method: PaymentMethod; presence: Presence } | null;
  /** The currency that is charged. That of the first price unless given. */
  currency?: string;
  /** The coupons that the subscription redeems. */
  coupons?: Redeemable[];
  /** True when only the amounts are wanted: pending invoice items are left out. */
  isQuote?: boolean;
  /** The tax ids of a customer who is not stored yet. */
  taxIds?: InvoiceFields["taxIds"];
  /** The checkout session that leads to the subscription. */
  session?: string;
  /** The start of the first full period when that is not now. Until then, a prorated amount or nothing is billed. */
  anchor?: { at: number; isProrated: boolean };
}

/** A new subscription and everything created with it. The invoice is given in each of its states, for its events. */
export interface NewSubscription {
  customer: Customer;
  subscription: Subscription;
  /** The items that are paid once, with the first invoice. */
  once: InvoiceItem[];
  discounts: Discount[];
  invoice: { draft: Invoice; finalized: Invoice; current: Invoice };
  payment: { intent: PaymentIntent; attempt: Attempt | null; invoicePayment: InvoicePayment } | null;
}

/**
 * Creates a subscription and stores everything; the caller emits the events. It is incomplete when its first invoice
 * is not paid. An invoice of 0, as in a trial, needs no payment.
 */
export function subscribe(change: Change, order: SubscribeOrder): NewSubscription {
  const { account } = change;
  const redeemed = redeemAll(change, order);
  const { subscription, draft, once } = planSubscription(change, redeemed.order);
  for (const item of once) account.invoiceItems.put(item);
  storeDraft(change, draft);
  const [finalized, customer] = finalizeInvoice(change, draft, order.customer);
  account.customers.put(customer);
  recordBalance(change, order.customer, customer, {
    currency: draft.currency,
    invoice: draft.id,
    type: "applied_to_invoice",
  });
  const payment = finalized.amount_due > 0 ? payFirst(change, finalized, order.payment) : null;
  const isPaid = payment === null || payment.attempt?.outcome === "succeeded";
  // A subscription does not wait for a bank that answers after days.
  const isProcessing = payment?.attempt?.outcome === "processing";
  const current = account.invoices.put(
    isPaid ? paidInvoice(change, finalized) : attempted(finalized, payment),
  );
  const started = account.subscriptions.put(
    withoutSpent(
      account,
      isPaid || isProcessing ? subscription : { ...subscription, status: "incomplete" },
    ),
  );
  const onceStored = once.map(({ id }) => account.invoiceItems.get(id));
  return {
    customer,
    subscription: started,
    invoice: { draft, finalized, current },
    payment,
    once: onceStored,
    discounts: redeemed.discounts,
  };
}

/** Calculates the subscription and its first invoice without storing them. */
export function planSubscription(
  change: Change,
  order: RedeemedOrder,
): { subscription: Subscription; draft: Invoice; once: InvoiceItem[] } {
  const built = buildSubscription(change, order);
  const once = onceItems(change, built, order);
  const draft = planDraft(change, built, {
    customer: order.customer,
    items: once,
    coupons: plannedCoupons(order),
    ignoresPending: order.isQuote,
    ...(order.taxIds ? { taxIds: order.taxIds } : {}),
    linesOf: (invoice) =>
      built.items.data.map((item) => firstLine(change, { order, subscription: built, item, invoice })),
    billingReason: "subscription_create",
  });
  return { subscription: { ...built, latest_invoice: draft.id }, draft, once };
}

/** Emits the events of a new subscription and its first invoice, in the order of real deliveries. */
export function emitStart(
  change: Change,
  { subscription, discounts, invoice, once, payment }: NewSubscription,
) {
  const { draft, finalized, current } = invoice;
  const attempt = payment?.attempt ?? null;
  for (const discount of discounts) change.emit("customer.discount.created", discount);
  change.emit("customer.subscription.created", subscription);
  if (attempt?.outcome === "succeeded") change.emit("payment_intent.succeeded", attempt.intent);
  if (payment) change.emit("payment_intent.created", payment.intent);
  if (attempt?.outcome === "declined") change.emit("payment_intent.payment_failed", attempt.intent);
  if (attempt?.outcome === "requires_action") change.emit("payment_intent.requires_action", attempt.intent);
  if (attempt?.outcome === "processing") change.emit("payment_intent.processing", attempt.intent);
  for (const item of once) change.emit("invoiceitem.created", item);
  change.emit("invoice.created", draft);
  change.emit("invoice.finalized", finalized);
  if (current.status === "paid") {
    change.emit("invoice.paid", current);
    change.emit("invoice.payment_succeeded", current);
    if (payment) change.emit("invoice_payment.paid", payment.invoicePayment);
  } else if (attempt && attempt.outcome !== "processing") {
    change.emit("invoice.payment_failed", current);
    if (attempt.outcome === "requires_action") change.emit("invoice.payment_action_required", current);
  }
}

/** The items of the order that are paid once, with the first invoice. */
function onceItems(change: Change, subscription: Subscription, order: SubscribeOrder): InvoiceItem[] {
  return paidOnce(change.account, order.items).map(({ price: id, quantity = 1 }) => {
    const price = inCurrency(change.account, change.account.prices.get(id), subscription.currency);
    return newInvoiceItem(change.now, {
      amount: priceInAdvance(price, quantity),
      currency: price.currency,
      customer: order.customer,
      description: productName(change.account, price),
      metadata: {},
      period: { start: change.now, end: change.now },
      price: {
        id,
        product: price.product,
        unitAmountDecimal: price.unit_amount_decimal === null ? null : String(price.unit_amount_decimal),
      },
      quantity,
      subscription: { id: subscription.id },
      isProration: false,
    });
  });
}

/** The coupons of an order, under the ids of their discounts once they are redeemed. */
function plannedCoupons({ coupons = [], discounts = [] }: RedeemedOrder): AppliedCoupon[] {
  return coupons.map(({ coupon }, index) => ({ discount: discounts.at(index)?.id ?? newId("di"), coupon }));
}

/** An order whose coupons may be redeemed already. */
type RedeemedOrder = SubscribeOrder & { id?: string; discounts?: Discount[] };

function redeemAll(change: Change, order: SubscribeOrder): { order: RedeemedOrder; discounts: Discount[] } {
  const id = newId("sub");
  const discounts = (order.coupons ?? []).map((coupon) =>
    redeem(change, coupon, { customer: order.customer.id, subscription: id, checkoutSession: order.session })
  );
  return { order: { ...order, id, discounts }, discounts };
}

function buildSubscription(change: Change, order: RedeemedOrder): Subscription {
  const id = order.id ?? newId("sub");
  const { anchor, trial } = order;
  const once = new Set(paidOnce(change.account, order.items));
  const priced = order.items.filter((item) => !once.has(item)).map((item) => ({
    ...item,
    price: recurringPrice(change.account, item.price),
  }));
  const items = priced.map(({ price, quantity, metadata }) => {
    const period = trial ??
      (anchor
        ? { start: change.now, end: periodAt(anchor.at, price.recurring, change.now).end }
        : firstPeriod(change.now, price.recurring));
    return newSubscriptionItem(change.now, { subscription: id, price, quantity, period, metadata });
  });
  return newSubscription(change.now, {
    ...order.terms,
    id,
    customer: order.customer.id,
    currency: order.currency ?? priced[0].price.currency,
    items,
    billingCycleAnchor: trial?.end ?? anchor?.at ?? change.now,
    discounts: order.discounts?.map(({ id }) => id),
    trial,
    defaultPaymentMethod: order.method?.id ?? null,
    latestInvoice: null,
    testClock: order.customer.test_clock ?? null,
  });
}

/** Before the anchor only a part of the period is billed. */
function firstLine(
  change: Change,
  fields: { order: SubscribeOrder; subscription: Subscription; item: SubscriptionItem; invoice: string },
): InvoiceLine {
  const { order: { anchor, trial }, subscription, item, invoice } = fields;
  const line = lineForItem(change.account, item, { invoice, subscription, isTrial: trial !== null });
  if (!anchor || trial || isMetered(item)) return line;
  const whole = periodAt(anchor.at, recurringPriceOf(item).recurring, change.now);
  const amount = anchor.isProrated ? shareOf(line.amount, whole, change.now) : 0;
  return { ...line, amount, subtotal: amount };
}

function recurringPrice(account: Account, id: string): RecurringPrice {
  const price = account.prices.get(id);
  if (!isRecurring(price)) throw new Error(`${id} is not recurring`);
  return price;
}

function payFirst(
  change: Change,
  invoice: Invoice,
  payment: SubscribeOrder["payment"],
): NonNullable<NewSubscription["payment"]> {
  const { invoicePayments } = change.account;
  const intent = openPayment(change, invoice);
  const [open] = invoicePayments.of(invoice.id);
  const attempt = payment && tryCard(change, intent, payment.method, payment.presence);
  if (attempt?.outcome !== "succeeded") return { intent, attempt, invoicePayment: open };
  const paid = invoicePayments.put(paidInvoicePayment(change.now, open));
  return { intent: attempt.intent, attempt, invoicePayment: paid };
}

/**
 * The first invoice of an incomplete subscription is not retried automatically. A payment that waits for
 * authentication is attempted, but is not counted as an attempt.
 */
function attempted(invoice: Invoice, payment: NewSubscription["payment"]): Invoice {
  if (!payment?.attempt) return invoice;
  return {
    ...invoice,
    attempt_count: payment.attempt.outcome === "requires_action" ? 0 : 1,
    attempted: true,
  };
}
