import type { Change } from "../../account/change.ts";
import type { CheckoutSession } from "../../objects/checkout_session.ts";
import { type Customer, newCustomer } from "../../objects/customer.ts";
import { taxIdsOf } from "../taxes/customer_tax_ids.ts";
import { newPaymentMethod, type Payer, type PaymentMethod } from "../../objects/payment_method.ts";
import type { TestCard } from "../../objects/test_card.ts";

/** A customer's attempt to complete a session. */
export interface CheckoutAttempt {
  /** Null when the session requires no card: nothing is due and `payment_method_collection` is `if_required`. */
  card: TestCard | null;
  payer: Payer;
  /** The existing payment method of the card, if there is one. */
  method?: PaymentMethod;
  /** The result of the bank's authentication, when the card requires one. */
  authentication: "passed" | "failed";
  /** The promotion code that the customer typed. An empty one removes the code that was applied before. */
  promotionCode?: string;
  /** The currency that the page presented. That of the session unless given. */
  currency?: string;
  taxId?: { type: string; value: string };
  businessName?: string;
}

/**
 * Stores the payment method of an attempt, creating it unless it exists. It is attached to the customer, if one is
 * given.
 */
export function storeMethodOfAttempt(
  { account, now }: Change,
  { card, method, payer }: Pick<CheckoutAttempt, "card" | "method" | "payer">,
  customer: string | null,
): PaymentMethod {
  const used = method ?? (card && newPaymentMethod(now, { card, payer, customer: null }));
  if (!used) throw new Error("This attempt has no card.");
  return account.paymentMethods.put({ ...used, customer });
}

/** The objects that a completed session refers to. */
type References = Partial<
  Pick<CheckoutSession, "customer" | "invoice" | "payment_intent" | "setup_intent" | "subscription">
>;

/** Stores the completed session. It stays unpaid while the bank has not answered. */
export function completeSession(
  change: Change,
  session: CheckoutSession,
  { payer, businessName }: Pick<CheckoutAttempt, "businessName" | "payer">,
  references: References,
  isProcessing = false,
): CheckoutSession {
  return change.account.checkoutSessions.put({
    ...session,
    ...references,
    client_secret: null,
    collected_information: {
      business_name: businessName ?? null,
      individual_name: null,
      shipping_details: null,
    },
    customer_details: {
      address: payer.address ?? null,
      business_name: businessName ?? null,
      email: payer.email,
      individual_name: null,
      name: payer.name,
      phone: payer.phone ?? null,
      tax_exempt: "none",
      tax_ids: taxIdsOf(change.account, references.customer ?? ""),
    },
    payment_status: !session.amount_total ? "no_payment_required" : isProcessing ? "unpaid" : "paid",
    status: "complete",
    url: null,
  });
}

/** The customer that the session was created with, or null. */
export function knownCustomer({ account }: Change, { customer }: CheckoutSession): Customer | null {
  return customer === null ? null : account.customers.getReferenced(customer, "customer");
}

/**
 * The customer of a payment or setup session: the one it was created with, a new one for `customer_creation=always`,
 * or none.
 */
export function optionalCustomer(change: Change, session: CheckoutSession, payer: Payer): Customer | null {
  const known = knownCustomer(change, session);
  if (known || session.customer_creation !== "always") return known;
  const customer = change.account.customers.put(
    newCustomer(change.now, { address: payer.address, email: payer.email, name: payer.name }),
  );
  change.emit("customer.created", customer);
  return customer;
}
