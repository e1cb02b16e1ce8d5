import type { Account } from "../account/account.ts";
import type { Collection } from "../account/collection.ts";
import { listLineItems } from "../behaviour/checkout/line_items.ts";
import type { Expandables, Resolver } from "../wire/expand.ts";
import { completeList } from "../wire/list.ts";

/** The expandable fields of each type of object. */
export function expandables(account: Account): Expandables {
  const customer: Resolver = (value) =>
    isId(value) ? account.customers.find(value) ?? account.deletedCustomers.find(value) ?? value : value;
  const coupon = reference(account.coupons);
  const promotionCode = reference(account.promotionCodes);
  const discount = reference(account.discounts);
  const discounts: Resolver = (value, owner) =>
    Array.isArray(value) ? value.map((one) => discount(one, owner)) : value;
  const product = reference(account.products);
  const price = reference(account.prices);
  const invoice = reference(account.invoices);
  const subscription = reference(account.subscriptions);
  const paymentMethod = reference(account.paymentMethods);
  const paymentIntent = reference(account.paymentIntents);
  const setupIntent = reference(account.setupIntents);
  const charge = reference(account.charges);
  const testClock = reference(account.testClocks);

  return {
    product: { default_price: price },
    price: {
      product,
      currency_options: onDemand(account.prices, (price) => ({
        [price.currency]: {
          custom_unit_amount: null,
          tax_behavior: price.tax_behavior,
          ...(price.tiers ? { tiers: price.tiers } : {}),
          unit_amount: price.unit_amount,
          unit_amount_decimal: price.unit_amount_decimal,
        },
        ...account.priceDetails.find(price.id)?.currencyOptions,
      })),
    },
    plan: { product },
    coupon: {
      applies_to: onDemand(account.couponDetails, ({ products }) => products && { products }),
      currency_options: onDemand(account.couponDetails, ({ currencyOptions }) => currencyOptions),
    },
    promotion_code: { customer, "promotion.coupon": coupon },
    discount: { customer, promotion_code: promotionCode, "source.coupon": coupon },
    customer: {
      tax_ids: onDemand(account.customers, (customer) => {
        return completeList(account.taxIds.of(customer.id).reverse(), `/v1/customers/${customer.id}/tax_ids`);
      }),
      test_clock: testClock,
      "invoice_settings.default_payment_method": paymentMethod,
      invoice_credit_balance: onDemand(account.customers, () => ({})),
      tax: onDemand(account.customers, () => ({
        automatic_tax: "unrecognized_location",
        ip_address: null,
        location: null,
        provider: "stripe",
      })),
      subscriptions: onDemand(account.customers, (customer) => {
        const live = account.subscriptions.of(customer.id).filter(({ status }) => status !== "canceled");
        return completeList(live.reverse(), `/v1/customers/${customer.id}/subscriptions`);
      }),
    },
    payment_method: { customer },
    setup_intent: { customer, payment_method: paymentMethod },
    invoiceitem: { customer, invoice, test_clock: testClock, "pricing.price_details.price": price },
    "checkout.session": {
      customer,
      invoice,
      payment_intent: paymentIntent,
      setup_intent: setupIntent,
      subscription,
      line_items: onDemand(account.checkoutSessions, (session) => {
        return completeList(
          listLineItems(account, session),
          `/v1/checkout/sessions/${session.id}/line_items`,
        );
      }),
    },
    subscription: {
      customer,
      default_payment_method: paymentMethod,
      discounts,
      latest_invoice: invoice,
      schedule: reference(account.subscriptionSchedules),
      test_clock: testClock,
    },
    subscription_schedule: { customer, subscription, test_clock: testClock },
    invoice: {
      customer,
      discounts,
      "total_discount_amounts[].discount": discount,
      default_payment_method: paymentMethod,
      test_clock: testClock,
      confirmation_secret: onDemand(account.invoices, (invoice) => {
        const [payment] = account.invoicePayments.of(invoice.id);
        const intent = account.paymentIntents.find(String(payment?.payment.payment_intent));
        return intent ? { client_secret: intent.client_secret, type: "payment_intent" } : null;
      }),
      "parent.subscription_details.subscription": subscription,
      payments: onDemand(account.invoices, (invoice) => {
        const payments = account.invoicePayments.of(invoice.id).reverse();
        return completeList(payments, "/v1/invoices/payments");
      }),
    },
    line_item: {
      discounts,
      "discount_amounts[].discount": discount,
      subscription,
      "pricing.price_details.price": price,
    },
    invoice_payment: { invoice, "payment.payment_intent": paymentIntent, "payment.charge": charge },
    payment_intent: { customer, latest_charge: charge, payment_method: paymentMethod },
    charge: {
      customer,
      payment_intent: paymentIntent,
      refunds: onDemand(account.charges, (charge) => {
        const refunds = account.refunds.newestFirst().filter((refund) => refund.charge === charge.id);
        return completeList(refunds, `/v1/charges/${charge.id}/refunds`);
      }),
    },
    tax_id: { customer },
    refund: { charge, customer, payment_intent: paymentIntent, payment_method: paymentMethod },
    dispute: { charge, payment_intent: paymentIntent },
    credit_note: {
      customer,
      customer_balance_transaction: reference(account.balanceTransactions),
      invoice,
      "refunds[].refund": reference(account.refunds),
    },
    customer_balance_transaction: { credit_note: reference(account.creditNotes), customer, invoice },
    "billing_portal.session": { configuration: reference(account.portalConfigurations) },
  };
}

/** Resolves an id. A value that is expanded already or unknown is returned unchanged. */
function reference(collection: Collection<{ id: string }>): Resolver {
  return (value) => isId(value) ? collection.find(value) ?? value : value;
}

/** Resolves a field that is only shown on demand. */
function onDemand<T extends { id: string }>(
  collection: Collection<T>,
  make: (owner: T) => object | null,
): Resolver {
  return (value, owner) => {
    const id: unknown = Reflect.get(owner, "id");
    const stored = isId(id) ? collection.find(id) : undefined;
    return stored ? make(stored) : value;
  };
}

function isId(value: unknown): value is string {
  return typeof value === "string";
}
