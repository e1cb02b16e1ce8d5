import { isRecurring, planOf } from "../../objects/price.ts";
import type { Account } from "../account.ts";

/** The objects that older versions show inside or beside an object. */
export interface Lookup {
  /** The intent and the charge of an invoice's payment. */
  paymentOf(invoice: string): { intent: string | null; charge: string | null };
  /** The invoice that an intent pays. */
  invoiceOf(intent: string): string | null;
  price(id: string): object | null;
  plan(id: string): object | null;
}

/** Knows nothing: what older versions show in addition is null. */
export const noLookup: Lookup = {
  paymentOf: () => ({ intent: null, charge: null }),
  invoiceOf: () => null,
  price: () => null,
  plan: () => null,
};

export function lookupIn(account: Account): Lookup {
  return {
    paymentOf(invoice) {
      const id = account.invoicePayments.of(invoice).at(-1)?.payment.payment_intent;
      const intent = typeof id === "string" ? account.paymentIntents.find(id) : undefined;
      return { intent: intent?.id ?? null, charge: intent?.latest_charge ?? null };
    },
    invoiceOf(intent) {
      const payment = account.invoicePayments.oldestFirst().find(({ payment }) =>
        payment.payment_intent === intent
      );
      return payment?.invoice ?? null;
    },
    price: (id) => account.prices.find(id) ?? null,
    plan(id) {
      const price = account.prices.find(id);
      return price && isRecurring(price) ? planOf(price) : null;
    },
  };
}
