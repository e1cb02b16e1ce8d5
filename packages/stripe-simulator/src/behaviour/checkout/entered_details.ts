import type { Change } from "../../account/change.ts";
import type { CheckoutOrder, CheckoutSession } from "../../objects/checkout_session.ts";
import { type Customer, newCustomer } from "../../objects/customer.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { Payer } from "../../objects/payment_method.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { commonCurrencies } from "../catalog/presentment.ts";
import { redeemableByCode } from "../discounts/redemption.ts";
import { checkTaxId, taxIdsOf } from "../taxes/customer_tax_ids.ts";
import type { CheckoutAttempt } from "./checkout_completion.ts";
import { type Quote, quoteOrder, type QuoteTerms } from "./order_quote.ts";

/** The address of the card form's example, for sessions that need one when none is entered. */
const exampleAddress = {
  city: "San Francisco",
  country: "US",
  line1: "354 Oyster Point Blvd",
  line2: null,
  postal_code: "94080",
  state: "CA",
};

/** True when the page asks for the billing address. */
export function collectsAddress(session: CheckoutSession, order: CheckoutOrder): boolean {
  return session.billing_address_collection === "required" || Boolean(order.isTaxed);
}

/** A session and its order with what was entered on the page: address, tax id, promotion code and currency. */
export interface EnteredOrder {
  session: CheckoutSession;
  order: CheckoutOrder;
  payer: Payer;
}

/**
 * Prices a session with what a customer enters on its page, without storing it. Throws a 400 for a promotion code or
 * a tax id that is not valid.
 */
export function enterDetails(
  change: Change,
  session: CheckoutSession,
  before: CheckoutOrder,
  attempt: CheckoutAttempt & { trial: QuoteTerms["trial"] },
): EnteredOrder {
  if (session.mode === "setup") return { session, order: before, payer: attempt.payer };
  const { account } = change;
  const known = account.customers.find(session.customer ?? "");
  const payer = collectsAddress(session, before)
    ? { ...attempt.payer, address: attempt.payer.address ?? known?.address ?? exampleAddress }
    : attempt.payer;
  const currency = presented(change, session, before, attempt.currency);
  const withCode = attempt.promotionCode === undefined ? before : {
    ...before,
    coupons: attempt.promotionCode === "" ? [] : [codeOf(change, session, attempt.promotionCode, currency)],
  };
  const { taxId } = attempt;
  if (taxId && !session.tax_id_collection?.enabled) {
    throw invalidRequest("This session does not collect tax ids.", { param: "tax_id" });
  }
  if (taxId) checkTaxId(taxId, "tax_id");
  const { quote, order } = requote(change, session, withCode, {
    currency,
    customer: asTaxed(change, known, before, payer),
    taxIds: [
      ...(known ? taxIdsOf(account, known.id) : []),
      ...(taxId ? [taxId as NonNullable<Invoice["customer_tax_ids"]>[number]] : []),
    ],
    trial: attempt.trial,
  });
  return { session: withQuote({ ...session, currency }, order, quote), order, payer };
}

/** Calculates an order's amounts and keeps those of its lines in the order. */
export function requote(
  change: Change,
  session: Pick<CheckoutSession, "mode">,
  order: CheckoutOrder,
  terms: QuoteTerms,
): { quote: Quote; order: CheckoutOrder } {
  if (session.mode === "setup") throw new Error("A session in setup mode has no amounts.");
  const quote = quoteOrder(change, order, terms);
  return { quote, order: { ...order, lines: quote.lines } };
}

/** Returns the session with the amounts of a quote and the discounts of its order. */
export function withQuote(
  session: CheckoutSession,
  { coupons = [] }: CheckoutOrder,
  quote: Quote,
): CheckoutSession {
  return {
    ...session,
    ...quote.amounts,
    automatic_tax: { ...session.automatic_tax, status: quote.taxStatus },
    discounts: coupons.map(({ coupon, promotionCode }) =>
      promotionCode === null
        ? { coupon, promotion_code: null }
        : { coupon: null, promotion_code: promotionCode }
    ),
  };
}

/** The customer as taxes see it: at the entered address, unless an existing customer keeps its own. */
function asTaxed(
  change: Change,
  known: Customer | undefined,
  { savesAddress }: CheckoutOrder,
  { address }: Payer,
): Customer {
  if (!known) return newCustomer(change.now, { address: address ?? null });
  return savesAddress && address ? { ...known, address } : known;
}

function presented(
  { account }: Change,
  session: CheckoutSession,
  order: CheckoutOrder,
  wanted: string | undefined,
): string {
  const currency = session.currency ?? "usd";
  if (wanted === undefined || wanted === currency) return currency;
  const prices = order.items.map(({ price }) => account.prices.get(price));
  if (!order.isCurrencyFixed && commonCurrencies(account, prices).includes(wanted)) return wanted;
  throw invalidRequest(`This session cannot be paid in ${wanted}.`, { param: "currency" });
}

function codeOf(change: Change, session: CheckoutSession, typed: string, currency: string) {
  if (!session.allow_promotion_codes) {
    throw invalidRequest("This session does not accept promotion codes.", { param: "promotion_code" });
  }
  const { coupon, promotionCode } = redeemableByCode(change, typed, {
    amount: session.amount_subtotal,
    currency,
    customer: session.customer,
  });
  return { coupon: coupon.id, promotionCode: promotionCode?.id ?? null };
}
