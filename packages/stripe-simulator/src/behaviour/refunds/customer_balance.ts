import type { Change } from "../../account/change.ts";
import { type CustomerBalanceTransaction, newBalanceTransaction } from "../../objects/balance_transaction.ts";
import type { Customer } from "../../objects/customer.ts";
import type Stripe from "stripe";

interface BalanceCause {
  creditNote?: string;
  currency?: string;
  description?: string | null;
  invoice?: string;
  metadata?: Stripe.Metadata;
  type: CustomerBalanceTransaction["type"];
}

/** Records that a customer's balance changed. Undefined when it did not. */
export function recordBalance(
  { account, now }: Change,
  before: Pick<Customer, "balance">,
  after: Customer,
  { currency, ...cause }: BalanceCause,
): CustomerBalanceTransaction | undefined {
  if (before.balance === after.balance) return;
  return account.balanceTransactions.put(newBalanceTransaction(now, {
    ...cause,
    amount: after.balance - before.balance,
    currency: currency ?? after.currency ?? "usd",
    customer: after.id,
    endingBalance: after.balance,
  }));
}

/** Changes a customer's balance. A negative amount is a credit, which the next invoices use. */
export function changeBalance(
  change: Change,
  before: Customer,
  amount: number,
  cause: BalanceCause,
): CustomerBalanceTransaction {
  const after = change.account.customers.put({
    ...before,
    balance: before.balance + amount,
    currency: before.currency ?? cause.currency ?? null,
  });
  const transaction = recordBalance(change, before, after, cause);
  if (!transaction) throw new Error("The amount of a balance transaction must not be 0.");
  change.emit("customer.updated", after, before);
  return transaction;
}
