import { z } from "zod";
import type { Change } from "../account/change.ts";
import type { Account } from "../account/account.ts";
import { rejectOtherCurrency } from "../behaviour/catalog/customer_currency.ts";
import { orderItems, sellableCurrency } from "../behaviour/catalog/order_items.ts";
import { expireCheckout, trialOf } from "../behaviour/checkout/checkout_payment.ts";
import { requote, withQuote } from "../behaviour/checkout/entered_details.ts";
import { redeemable } from "../behaviour/discounts/redemption.ts";
import { taxIdsOf } from "../behaviour/taxes/customer_tax_ids.ts";
import { listLineItems } from "../behaviour/checkout/line_items.ts";
import { type CheckoutOrder, type CheckoutSession, newCheckoutSession } from "../objects/checkout_session.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { metadata, oneOf, pagination, text, timeFilter } from "../wire/params.ts";
import {
  checkCreateParams,
  type CreateParams,
  createParams,
  expiryOf,
  newSessionId,
  placeOf,
  termsOf,
} from "./checkout_session_params.ts";
import { endpoint } from "./endpoint.ts";

export const checkoutSessionEndpoints = [
  endpoint("POST /v1/checkout/sessions", createParams, (call) => {
    const { account, params } = call;
    checkCreateParams(params);
    if (params.customer) account.customers.getReferenced(params.customer, "customer");
    const change = call.change.of({ customer: params.customer });
    const id = newSessionId();
    const place = placeOf(params, id, account.origin);
    const { items, currency } = itemsAndCurrency(account, params);
    if (params.customer && currency && params.mode === "subscription") {
      rejectOtherCurrency(account, { id: params.customer }, currency);
    }
    const order: CheckoutOrder = {
      id,
      items,
      updatesCustomerName: params.customer_update?.name === "auto",
      terms: termsOf(params, change.now),
      coupons: couponsOf(change, params, currency),
      isCurrencyFixed: params.currency !== undefined,
      isTaxed: params.automatic_tax?.enabled,
      savesAddress: params.customer_update?.address === "auto",
    };
    if (order.isTaxed) checkTaxLocation(account, params);
    const session = newCheckoutSession(change.now, {
      id,
      mode: params.mode,
      place,
      allowPromotionCodes: params.allow_promotion_codes ?? null,
      amountTotal: params.mode === "setup" ? null : 0,
      billingAddressCollection: params.billing_address_collection ?? null,
      clientReferenceId: params.client_reference_id ?? null,
      currency,
      customer: params.customer ?? null,
      customerCreation: customerCreation(params),
      customerEmail: params.customer_email ?? null,
      payerEmail: params.customer_email ?? account.customers.find(params.customer ?? "")?.email ?? null,
      expiresAt: expiryOf(params, change.now),
      locale: params.locale ?? null,
      metadata: mergeMetadata({}, params.metadata),
      paymentMethodCollection: params.mode === "payment"
        ? "if_required"
        : params.payment_method_collection ?? "always",
      isTaxed: order.isTaxed,
      taxIdCollection: params.tax_id_collection,
    });
    return account.checkoutSessions.put(priced(change, session, order));
  }),

  endpoint("GET /v1/checkout/sessions", {
    ...pagination,
    created: timeFilter().optional(),
    customer: text().optional(),
    customer_details: z.strictObject({ email: text() }).optional(),
    status: oneOf("open", "complete", "expired").optional(),
    subscription: text().optional(),
  }, ({ account, params }) => {
    const found = account.checkoutSessions.newestFirst().filter((session) =>
      (params.customer === undefined || session.customer === params.customer) &&
      (params.customer_details === undefined ||
        session.customer_details?.email === params.customer_details.email) &&
      (params.status === undefined || session.status === params.status) &&
      (params.subscription === undefined || session.subscription === params.subscription) &&
      passes(session.created, params.created)
    );
    return paginate(found, params, "/v1/checkout/sessions");
  }),

  endpoint("GET /v1/checkout/sessions/:id", {}, ({ account, id }) => account.checkoutSessions.get(id)),

  endpoint(
    "POST /v1/checkout/sessions/:id",
    { metadata: metadata().optional() },
    ({ account, params, id }) => {
      const before = account.checkoutSessions.get(id);
      return account.checkoutSessions.put({
        ...before,
        metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      });
    },
  ),

  endpoint("POST /v1/checkout/sessions/:id/expire", {}, ({ account, change, id }) => {
    const session = account.checkoutSessions.get(id);
    return expireCheckout(change.of(session), session);
  }),

  endpoint("GET /v1/checkout/sessions/:id/line_items", pagination, ({ account, params, id }) => {
    const items = listLineItems(account, account.checkoutSessions.get(id));
    return paginate(items, params, `/v1/checkout/sessions/${id}/line_items`);
  }),
];

/** The items and their currency. None in setup mode. */
function itemsAndCurrency(
  account: Account,
  params: CreateParams,
): { items: CheckoutOrder["items"]; currency: string | null } {
  if (params.mode === "setup") return { items: [], currency: params.currency ?? null };
  if (!params.line_items?.length) throw missingParameter("line_items");
  const lines = params.line_items;
  const items = orderItems(account, lines).map((item, index) => ({
    ...item,
    metadata: mergeMetadata({}, lines[index].metadata),
    adjustableQuantity: adjustable(lines[index]),
  }));
  return { items, currency: sellableCurrency(account, items, params.mode, params.currency) };
}

function adjustable({ adjustable_quantity: wanted }: NonNullable<CreateParams["line_items"]>[number]) {
  return wanted?.enabled
    ? { enabled: true, maximum: wanted.maximum ?? 99, minimum: wanted.minimum ?? 0 }
    : null;
}

/** Calculates the amounts of a new session, and stores its order. */
function priced(change: Change, session: CheckoutSession, ordered: CheckoutOrder): CheckoutSession {
  const { account } = change;
  if (session.mode === "setup" || session.currency === null) {
    account.checkoutOrders.put(ordered);
    return session;
  }
  const customer = account.customers.find(session.customer ?? "") ?? null;
  const { quote, order } = requote(change, session, ordered, {
    currency: session.currency,
    customer,
    taxIds: customer ? taxIdsOf(account, customer.id) : [],
    trial: trialOf(ordered, change.now),
  });
  account.checkoutOrders.put(order);
  return withQuote(session, order, quote);
}

function couponsOf(change: Change, params: CreateParams, currency: string | null): CheckoutOrder["coupons"] {
  return params.discounts?.map((wanted, index) => {
    const { coupon, promotionCode } = redeemable(change, wanted, `discounts[${index}]`, {
      amount: null,
      currency,
      customer: params.customer ?? null,
    });
    return { coupon: coupon.id, promotionCode: promotionCode?.id ?? null };
  });
}

/** Taxes of an existing customer need its address, or the permission to save the one that is entered. */
function checkTaxLocation(account: Account, params: CreateParams) {
  const country = account.customers.find(params.customer ?? "")?.address?.country;
  if (!params.customer || country || params.customer_update?.address === "auto") return;
  throw invalidRequest(
    "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the " +
      "Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' to save " +
      "the address entered in Checkout to the Customer.",
    { code: "customer_tax_location_invalid", param: "automatic_tax" },
  );
}

/** A subscription requires a customer. In the other modes a customer is created only when requested. */
function customerCreation(params: CreateParams): "always" | "if_required" | null {
  if (params.customer) return null;
  return params.mode === "subscription" ? "always" : params.customer_creation ?? "if_required";
}
