import type { Change } from "../account/change.ts";
import type { OrderedItem } from "../objects/checkout_session.ts";
import type { Customer } from "../objects/customer.ts";
import { newId } from "../objects/ids.ts";
import { type Invoice, newInvoice } from "../objects/invoice.ts";
import { newSuccessfulPayment } from "../objects/payment.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import { isRecurring, type RecurringPrice } from "../objects/price.ts";
import {
  newSubscription,
  newSubscriptionItem,
  type Period,
  type Subscription,
  type SubscriptionFields,
} from "../objects/subscription.ts";
import { finalizeInvoice, lineForItem, paidInvoice } from "./invoicing.ts";
import { firstPeriod } from "./periods.ts";

export interface SubscribeOrder {
  customer: Customer;
  items: OrderedItem[];
  /** Null when nothing is due and no card was asked for. */
  method: PaymentMethod | null;
  trial: Period | null;
  terms: Pick<SubscriptionFields, "billingMode" | "description" | "metadata" | "missingPaymentMethod">;
}

/** All that a new subscription brings into being. The invoice is given in each of its states, for its events. */
export interface NewSubscription {
  customer: Customer;
  subscription: Subscription;
  invoice: { draft: Invoice; finalized: Invoice; paid: Invoice };
  payment: ReturnType<typeof newSuccessfulPayment> | null;
}

/**
 * Starts a subscription whose first invoice is paid, or free while there is a trial, and stores everything. The caller
 * has made sure that the card is not declined, and emits the events.
 */
export function subscribe(change: Change, order: SubscribeOrder): NewSubscription {
  const { account } = change;
  const invoiceId = newId("in");
  const subscription = buildSubscription(change, order, invoiceId);
  const lines = subscription.items.data.map((item) =>
    lineForItem(account, item, { invoice: invoiceId, subscription, isTrial: order.trial !== null })
  );
  const draft = newInvoice(change.now, {
    id: invoiceId,
    customer: order.customer,
    currency: subscription.currency,
    lines,
    billingReason: "subscription_create",
    subscription,
    defaultPaymentMethod: null,
  });
  const [finalized, customer] = finalizeInvoice(change, draft, order.customer);
  const paid = paidInvoice(change, finalized);
  const payment = order.method && paid.amount_paid > 0 ? takePayment(change, paid, order.method) : null;
  account.subscriptions.put(subscription);
  account.invoices.put(paid);
  account.customers.put(customer);
  return { customer, subscription, invoice: { draft, finalized, paid }, payment };
}

function buildSubscription(change: Change, order: SubscribeOrder, invoice: string): Subscription {
  const id = newId("sub");
  const priced = order.items.map((item) => ({ ...item, price: recurringPrice(change, item.price) }));
  const items = priced.map(({ price, quantity }) => {
    const period = order.trial ?? firstPeriod(change.now, price.recurring);
    return newSubscriptionItem(change.now, { subscription: id, price, quantity, period });
  });
  return newSubscription(change.now, {
    ...order.terms,
    id,
    customer: order.customer.id,
    currency: priced[0].price.currency,
    items,
    billingCycleAnchor: order.trial?.end ?? change.now,
    trial: order.trial,
    defaultPaymentMethod: order.method?.id ?? null,
    latestInvoice: invoice,
    testClock: order.customer.test_clock ?? null,
  });
}

function recurringPrice(change: Change, id: string): RecurringPrice {
  const price = change.account.prices.get(id);
  if (!isRecurring(price)) throw new Error(`${id} is not recurring`);
  return price;
}

function takePayment(change: Change, invoice: Invoice, method: PaymentMethod) {
  const { account } = change;
  const payment = newSuccessfulPayment(change.now, invoice.id, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: String(invoice.customer),
    method,
    description: "Subscription creation",
  });
  account.paymentIntents.put(payment.intent);
  account.charges.put(payment.charge);
  account.invoicePayments.put(payment.invoicePayment);
  return payment;
}
