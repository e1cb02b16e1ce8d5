import { changeBalance } from "../behaviour/refunds/customer_balance.ts";
import { invalidRequest, noSuch } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate } from "../wire/pagination.ts";
import { clearable, currency, integer, metadata, pagination, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/customers/:id/balance_transactions";

export const customerBalanceEndpoints = [
  endpoint(`POST ${path}`, {
    amount: integer(),
    currency: currency(),
    description: text(350).optional(),
    metadata: metadata().optional(),
  }, ({ account, change, params, id }) => {
    const customer = account.customers.get(id);
    if (customer.currency && customer.currency !== params.currency) {
      throw invalidRequest(`The customer's currency is ${customer.currency}; its balance has no other.`, {
        param: "currency",
      });
    }
    if (params.amount === 0) throw invalidRequest("The amount must not be 0.", { param: "amount" });
    return changeBalance(change.of(customer), customer, params.amount, {
      currency: params.currency,
      description: params.description,
      metadata: mergeMetadata({}, params.metadata),
      type: "adjustment",
    });
  }),

  endpoint(`GET ${path}`, { ...pagination, invoice: text().optional() }, ({ account, params, id }) => {
    const { id: customer } = account.customers.get(id);
    const found = account.balanceTransactions.of(customer).reverse().filter((transaction) =>
      params.invoice === undefined || transaction.invoice === params.invoice
    );
    return paginate(found, params, `/v1/customers/${id}/balance_transactions`);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => {
    const [customer, transaction] = id.split("/");
    const found = account.balanceTransactions.of(customer).find((one) => one.id === transaction);
    if (!found) throw noSuch("customer_balance_transaction", transaction, "path");
    return found;
  }),

  endpoint(`POST ${path}/:id`, {
    description: clearable(text(350)).optional(),
    metadata: metadata().optional(),
  }, ({ account, params, id }) => {
    const [customer, transaction] = id.split("/");
    const found = account.balanceTransactions.of(customer).find((one) => one.id === transaction);
    if (!found) throw noSuch("customer_balance_transaction", transaction, "path");
    return account.balanceTransactions.put({
      ...found,
      description: params.description === undefined ? found.description : params.description,
      metadata: mergeMetadata(found.metadata ?? {}, params.metadata),
    });
  }),
];
