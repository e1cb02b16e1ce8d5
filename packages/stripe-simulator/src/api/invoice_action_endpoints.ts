import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { orderItems, sellableCurrency } from "../behaviour/catalog/order_items.ts";
import type { AppliedCoupon } from "../behaviour/discounts/discount_amounts.ts";
import { appliedCoupons, redeemable } from "../behaviour/discounts/redemption.ts";
import { asPreview, previewRenewal } from "../behaviour/invoices/invoice_preview.ts";
import {
  finalizeOnRequest,
  markPaidOutOfBand,
  payOnRequest,
  rejectUnless,
} from "../behaviour/invoices/invoice_requests.ts";
import { markUncollectible, voidInvoice } from "../behaviour/invoices/invoice_voiding.ts";
import { attach, methodInParam } from "../behaviour/payments/card_attachment.ts";
import { invoiceOf, planChange } from "../behaviour/subscriptions/plan_change.ts";
import { taxIdTypes } from "../behaviour/taxes/customer_tax_ids.ts";
import { planSubscription } from "../behaviour/subscriptions/subscription_start.ts";
import type { Customer } from "../objects/customer.ts";
import { newId } from "../objects/ids.ts";
import type { Invoice } from "../objects/invoice.ts";
import type { PaymentMethod } from "../objects/payment_method.ts";
import { hasEnded, isSetToCancel, type Subscription } from "../objects/subscription.ts";
import { invalidRequest, missingParameter, StripeError } from "../wire/errors.ts";
import { boolean, clearable, currency, list, oneOf, text, timestamp } from "../wire/params.ts";
import { discounts } from "./discount_params.ts";
import { endpoint } from "./endpoint.ts";
import { address, automaticTax } from "./shared_params.ts";
import { anchorType, itemChange, prorationBehavior, schedule, withSchedule } from "./subscription_params.ts";

const subscriptionDetails = z.strictObject({
  ...schedule,
  billing_cycle_anchor: z.union([oneOf("now", "unchanged"), anchorType]).optional(),
  billing_mode: z.strictObject({ type: oneOf("classic", "flexible") }).optional(),
  items: list(itemChange).optional(),
  proration_behavior: prorationBehavior.default("create_prorations"),
  proration_date: timestamp().optional(),
  trial_end: z.union([timestamp(), oneOf("now")]).optional(),
});

const previewParams = {
  automatic_tax: automaticTax.optional(),
  customer_details: z.strictObject({
    address: clearable(address).optional(),
    tax_exempt: clearable(oneOf("exempt", "none", "reverse")).optional(),
    tax_ids: list(z.strictObject({ type: oneOf(...taxIdTypes), value: text() })).optional(),
  }).optional(),
  currency: currency().optional(),
  customer: text().optional(),
  discounts: discounts.optional(),
  preview_mode: oneOf("next").optional(),
  schedule: text().optional(),
  subscription: text().optional(),
  subscription_details: subscriptionDetails.optional(),
};
type PreviewParams = z.output<z.ZodObject<typeof previewParams>>;

export const invoiceActionEndpoints = [
  endpoint("POST /v1/invoices/create_preview", previewParams, ({ account, change, params }) => {
    const id = params.subscription ?? subscriptionOfSchedule(account, params.schedule);
    if (id !== undefined) {
      const subscription = account.subscriptions.getReferenced(id, "subscription");
      return previewChange(change.of(subscription), subscription, params);
    }
    if (params.customer === undefined) throw missingParameter("customer");
    const customer = account.customers.getReferenced(params.customer, "customer");
    if (params.subscription_details?.items) return previewStart(change.of(customer), customer.id, params);
    const next = account.subscriptions.of(customer.id).filter((subscription) => !hasEnded(subscription))
      .sort((a, b) => periodEnd(a) - periodEnd(b)).at(0);
    if (!next) throw noneUpcoming(customer.id);
    return previewChange(change.of(next), next, params);
  }),

  endpoint("POST /v1/invoices/:id/finalize", { auto_advance: boolean().optional() }, (call) => {
    const { account, change, params, id } = call;
    const invoice = account.invoices.get(id);
    return finalizeOnRequest(
      change.of(invoice),
      invoice,
      params.auto_advance ?? invoice.auto_advance ?? true,
    );
  }),

  endpoint("POST /v1/invoices/:id/pay", {
    forgive: oneOf("false").optional(),
    off_session: boolean().default(true),
    paid_out_of_band: boolean().default(false),
    payment_method: text().optional(),
  }, (call) => {
    const { account, params, id } = call;
    const invoice = account.invoices.get(id);
    const change = call.change.of(invoice);
    if (params.paid_out_of_band) return markPaidOutOfBand(change, invoice);
    return payOnRequest(change, invoice, {
      method: params.payment_method === undefined
        ? undefined
        : cardFor(change, invoice, params.payment_method),
      presence: params.off_session ? "off_session" : "on_session",
    });
  }),

  endpoint("POST /v1/invoices/:id/void", {}, ({ account, change, id }) => {
    const invoice = account.invoices.get(id);
    rejectUnless(invoice, "open", "uncollectible");
    return voidInvoice(change.of(invoice), invoice);
  }),

  endpoint("POST /v1/invoices/:id/mark_uncollectible", {}, ({ account, change, id }) => {
    const invoice = account.invoices.get(id);
    rejectUnless(invoice, "open");
    return markUncollectible(change.of(invoice), invoice);
  }),
];

/** The payment method named for a payment: the customer's own, or a predefined test card, which is then attached. */
function cardFor(change: Change, invoice: Invoice, id: string): PaymentMethod {
  const method = methodInParam(change, id, "payment_method");
  const customer = change.account.customers.get(String(invoice.customer));
  if (method.customer === customer.id) return method;
  if (id !== method.id) return attach(change, method, customer);
  throw invalidRequest("The payment method must be attached to the customer of the invoice.", {
    param: "payment_method",
  });
}

function periodEnd({ items }: Subscription): number {
  return Math.min(...items.data.map((item) => item.current_period_end));
}

/** Previews the next invoice of a subscription with changes. */
function previewChange(change: Change, subscription: Subscription, params: PreviewParams): Invoice {
  const details = params.subscription_details;
  const taxed = params.automatic_tax
    ? {
      ...subscription,
      automatic_tax: { ...subscription.automatic_tax, enabled: params.automatic_tax.enabled },
    }
    : subscription;
  const wanted = details ? withSchedule(change, taxed, details) : taxed;
  if (hasEnded(subscription)) throw noneUpcoming(subscription.customer);
  const anchor = details?.billing_cycle_anchor;
  const plan = planChange(change, wanted, {
    items: details?.items ?? [],
    proration: details?.proration_behavior ?? "create_prorations",
    prorationDate: details?.proration_date,
    startsPeriod: (typeof anchor === "string" ? anchor : anchor?.type) === "now",
    trialEnd: details?.trial_end,
  });
  const { customer_details: assumed } = params;
  const fields = {
    coupons: previewCoupons(change, subscription, params),
    ...(assumed ? { customer: detailed(change.account.customers.get(subscription.customer), params) } : {}),
    ...(assumed?.tax_ids ? { taxIds: assumed.tax_ids } : {}),
  };
  if (plan.isInvoiced) return asPreview(invoiceOf(change, plan, fields));
  if (isSetToCancel(plan.after)) throw noneUpcoming(subscription.customer);
  return previewRenewal(change, plan.after, { items: plan.prorations, ...fields });
}

/** The coupons of `discounts`, as if they were redeemed. Undefined when the parameter is not given. */
function previewCoupons(
  change: Change,
  { currency, customer }: Subscription,
  { discounts }: PreviewParams,
): AppliedCoupon[] | undefined {
  if (discounts === undefined) return;
  return (discounts ?? []).flatMap((wanted, index) => {
    if (wanted.discount) return appliedCoupons(change.account, [wanted.discount]);
    const { coupon } = redeemable(change, wanted, `discounts[${index}]`, {
      customer,
      currency,
      amount: null,
    });
    return [{ coupon, discount: newId("di") }];
  });
}

/** The subscription of a schedule whose next invoice is to be previewed. */
function subscriptionOfSchedule(account: Account, schedule: string | undefined): string | undefined {
  if (schedule === undefined) return;
  const { status, subscription } = account.subscriptionSchedules.getReferenced(schedule, "schedule");
  if (subscription !== null) return subscription;
  throw invalidRequest(`The schedule has no subscription: it is ${status}.`, { param: "schedule" });
}

/** The customer with the details that the preview is to assume. */
function detailed(customer: Customer, { customer_details: details }: PreviewParams): Customer {
  return {
    ...customer,
    address: details?.address === undefined ? customer.address : details.address,
    tax_exempt: details?.tax_exempt === undefined ? customer.tax_exempt : details.tax_exempt ?? "none",
  };
}

/** Previews the first invoice of a new subscription. */
function previewStart(change: Change, customerId: string, params: PreviewParams): Invoice {
  const { account } = change;
  const details = params.subscription_details;
  const items = orderItems(account, linesOf(account, details?.items ?? []), "items");
  const currency = sellableCurrency(account, items, "subscription", params.currency);
  const { draft } = planSubscription(change, {
    customer: detailed(account.customers.get(customerId), params),
    ...(params.customer_details?.tax_ids ? { taxIds: params.customer_details.tax_ids } : {}),
    items,
    method: null,
    trial: typeof details?.trial_end === "number" ? { start: change.now, end: details.trial_end } : null,
    terms: {
      billingMode: details?.billing_mode?.type ?? "flexible",
      description: null,
      metadata: {},
      missingPaymentMethod: "create_invoice",
      isTaxed: params.automatic_tax?.enabled,
    },
    payment: null,
    currency,
    coupons: params.discounts?.map((wanted, index) =>
      redeemable(change, wanted, `discounts[${index}]`, { customer: customerId, currency, amount: null })
    ),
  });
  return asPreview(draft);
}

function linesOf(account: Account, items: z.output<typeof itemChange>[]) {
  return items.map(({ price = "", quantity }) => {
    const isMetered = account.prices.find(price)?.recurring?.usage_type === "metered";
    return { price, quantity: quantity ?? (isMetered ? undefined : 1) };
  });
}

function noneUpcoming(customer: string): StripeError {
  return new StripeError(404, "invalid_request_error", `No upcoming invoices for customer: '${customer}'`, {
    code: "invoice_upcoming_none",
  });
}
