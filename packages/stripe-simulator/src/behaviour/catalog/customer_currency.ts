import type { Account } from "../../account/account.ts";
import type { Customer } from "../../objects/customer.ts";
import { hasEnded } from "../../objects/subscription.ts";
import { invalidRequest } from "../../wire/errors.ts";

/**
 * Throws a 400 when the customer has a live subscription or a pending invoice item in another currency: all of a
 * customer's recurring billing is in one currency (https://docs.stripe.com/billing/customer#set-credit-balance-currency).
 */
export function rejectOtherCurrency(account: Account, customer: Pick<Customer, "id">, currency: string) {
  const used = currenciesOf(account, customer.id).find((other) => other !== currency);
  if (used === undefined) return;
  throw invalidRequest(
    "You cannot combine currencies on a single customer. This customer has an active subscription, subscription " +
      `schedule, discount, quote, or invoice item with currency ${used}`,
  );
}

function currenciesOf(account: Account, customer: string): string[] {
  const live = account.subscriptions.of(customer).filter((subscription) => !hasEnded(subscription));
  const pending = account.invoiceItems.of(customer).filter(({ invoice }) => invoice === null);
  return [...live, ...pending].map(({ currency }) => currency);
}
