import type { Change } from "../account/change.ts";
import type { Customer } from "../objects/customer.ts";
import type { Deleted } from "../objects/stored_object.ts";
import { hasEnded } from "../objects/subscription.ts";
import { cancelNow, stopCollecting } from "./subscriptions/cancellation.ts";

/** Deletes a customer. Its live subscriptions are canceled and its payment methods detached. */
export function deleteCustomer(change: Change, customer: Customer): Deleted {
  const { account } = change;
  for (const subscription of account.subscriptions.of(customer.id)) {
    if (!hasEnded(subscription)) cancelNow(change, subscription);
  }
  for (const invoice of account.invoices.of(customer.id)) stopCollecting(change, invoice);
  for (const method of account.paymentMethods.of(customer.id)) {
    account.paymentMethods.put({ ...method, customer: null });
  }
  account.customers.remove(customer.id);
  change.emit("customer.deleted", customer);
  return account.deletedCustomers.put({ id: customer.id, object: "customer", deleted: true });
}
