import { z } from "zod";
import { deleteCustomer } from "../behaviour/customers.ts";
import { type Customer, newCustomer } from "../objects/customer.ts";
import { endpoint } from "../protocol/endpoint.ts";
import { mergeMetadata } from "../protocol/metadata.ts";
import { paginate, passes } from "../protocol/pagination.ts";
import { clearable, list, metadata, pagination, text, timeFilter } from "../protocol/params.ts";
import { address } from "./shapes.ts";

const fields = {
  address: clearable(address).optional(),
  description: clearable(text()).optional(),
  email: clearable(text(512)).optional(),
  metadata: metadata().optional(),
  name: clearable(text()).optional(),
  phone: clearable(text()).optional(),
  preferred_locales: list(text()).optional(),
};

export const customerEndpoints = [
  endpoint("POST /v1/customers", fields, ({ account, change, params }) => {
    const metadata = mergeMetadata({}, params.metadata);
    const customer = account.customers.put(newCustomer(change.now, { ...params, metadata }));
    change.emit("customer.created", customer);
    return customer;
  }),

  endpoint("GET /v1/customers", {
    ...pagination,
    created: timeFilter().optional(),
    email: text().optional(),
  }, ({ account, params }) => {
    const found = account.customers.newestFirst().filter((customer) =>
      (params.email === undefined || customer.email === params.email) &&
      passes(customer.created, params.created)
    );
    return paginate(found, params, "/v1/customers");
  }),

  endpoint("GET /v1/customers/:id", {}, ({ account, id }) => {
    return account.deletedCustomers.find(id) ?? account.customers.get(id);
  }),

  endpoint("POST /v1/customers/:id", {
    ...fields,
    invoice_settings: z.strictObject({ default_payment_method: clearable(text()).optional() }).optional(),
  }, ({ account, change, params, id }) => {
    const before = account.customers.get(id);
    const { invoice_settings: settings, ...own } = params;
    const method = settings?.default_payment_method;
    if (method) account.paymentMethods.getReferenced(method, "invoice_settings[default_payment_method]");
    const after: Customer = {
      ...before,
      ...own,
      invoice_settings: method === undefined
        ? before.invoice_settings
        : { ...before.invoice_settings, default_payment_method: method },
      metadata: mergeMetadata(before.metadata, params.metadata),
    };
    account.customers.put(after);
    change.emit("customer.updated", after, before);
    return after;
  }),

  endpoint("DELETE /v1/customers/:id", {}, ({ account, change, id }) => {
    return deleteCustomer(change, account.customers.get(id));
  }),
];
