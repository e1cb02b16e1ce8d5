import { z } from "zod";
import type { Account } from "../account/account.ts";
import { deleteCustomer } from "../behaviour/customer_deletion.ts";
import { attach, methodInParam } from "../behaviour/payments/card_attachment.ts";
import { saveSource } from "../behaviour/payments/card_sources.ts";
import { recordBalance } from "../behaviour/refunds/customer_balance.ts";
import { addTaxId, checkTaxId, taxIdTypes } from "../behaviour/taxes/customer_tax_ids.ts";
import { type Customer, newCustomer } from "../objects/customer.ts";
import { invalidRequest } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { clearable, integer, list, metadata, oneOf, pagination, text, timeFilter } from "../wire/params.ts";
import { isShown } from "./clock_filter.ts";
import { endpoint } from "./endpoint.ts";
import { address } from "./shared_params.ts";

const fields = {
  address: clearable(address).optional(),
  balance: integer().optional(),
  description: clearable(text()).optional(),
  email: clearable(text(512)).optional(),
  invoice_settings: z.strictObject({ default_payment_method: clearable(text()).optional() }).optional(),
  metadata: metadata().optional(),
  name: clearable(text()).optional(),
  phone: clearable(text()).optional(),
  preferred_locales: list(text()).optional(),
  shipping: clearable(z.strictObject({ address, name: text(), phone: text().optional() })).optional(),
  tax: z.strictObject({
    ip_address: text().optional(),
    validate_location: oneOf("deferred", "immediately").optional(),
  })
    .optional(),
  tax_exempt: clearable(oneOf("exempt", "none", "reverse")).optional(),
};

export const customerEndpoints = [
  endpoint("POST /v1/customers", {
    ...fields,
    payment_method: text().optional(),
    source: text().optional(),
    tax_id_data: list(z.strictObject({ type: oneOf(...taxIdTypes), value: text() })).optional(),
    test_clock: text().optional(),
  }, (call) => {
    const { account, params } = call;
    const { invoice_settings: settings, payment_method: method, source, ...given } = params;
    const { tax_id_data: taxIds = [], tax: _, ...own } = given;
    for (const [index, taxId] of taxIds.entries()) checkTaxId(taxId, `tax_id_data[${index}][value]`);
    if (params.test_clock) account.testClocks.getReferenced(params.test_clock, "test_clock");
    const change = call.change.of({ test_clock: params.test_clock });
    const bare = newCustomer(change.now, { ...own, metadata: mergeMetadata({}, params.metadata) });
    const saved = method && attach(change, methodInParam(change, method, "payment_method"), bare).id;
    const wanted = settings?.default_payment_method;
    const invoice_settings = withDefault(account, bare, saved && wanted === method ? saved : wanted);
    const card = source && attach(change, saveSource(change, bare, source), bare);
    const customer = account.customers.put({
      ...bare,
      balance: params.balance ?? 0,
      default_source: card ? card.id : null,
      invoice_settings,
    });
    recordBalance(change, bare, customer, { type: "initial" });
    change.emit("customer.created", customer);
    for (const taxId of taxIds) addTaxId(change, customer.id, taxId);
    return customer;
  }),

  endpoint("GET /v1/customers", {
    ...pagination,
    created: timeFilter().optional(),
    email: text().optional(),
    test_clock: text().optional(),
  }, ({ account, params }) => {
    const found = account.customers.newestFirst().filter((customer) =>
      isShown(customer, params) &&
      (params.email === undefined || customer.email === params.email) &&
      passes(customer.created, params.created)
    );
    return paginate(found, params, "/v1/customers");
  }),

  endpoint("GET /v1/customers/:id", {}, ({ account, id }) => {
    return account.deletedCustomers.find(id) ?? account.customers.get(id);
  }),

  endpoint("POST /v1/customers/:id", fields, (call) => {
    const { account, params, id } = call;
    const before = account.customers.get(id);
    const change = call.change.of(before);
    const { invoice_settings: settings, shipping, tax: _, tax_exempt: exempt, ...own } = params;
    const after: Customer = {
      ...before,
      ...own,
      shipping: shipping === undefined ? before.shipping : shipping && { ...shipping },
      tax_exempt: exempt === undefined ? before.tax_exempt : exempt ?? "none",
      invoice_settings: withDefault(account, before, settings?.default_payment_method),
      metadata: mergeMetadata(before.metadata, params.metadata),
    };
    account.customers.put(after);
    recordBalance(change, before, after, { type: "adjustment" });
    change.emit("customer.updated", after, before);
    return after;
  }),

  endpoint("DELETE /v1/customers/:id", {}, ({ account, change, id }) => {
    const customer = account.customers.get(id);
    return deleteCustomer(change.of(customer), customer);
  }),
];

/**
 * Returns the invoice settings with another default payment method. Undefined leaves it unchanged. Throws a 400 when
 * it is not attached to the customer.
 */
function withDefault(
  account: Account,
  { id, invoice_settings: settings }: Customer,
  method: string | null | undefined,
): Customer["invoice_settings"] {
  if (method === undefined) return settings;
  const param = "invoice_settings[default_payment_method]";
  if (method !== null && account.paymentMethods.getReferenced(method, param).customer !== id) {
    const message = `The customer does not have a payment method with the ID ${method}. ` +
      "The payment method must be attached to the customer.";
    throw invalidRequest(message, { param, code: "resource_missing" });
  }
  return { ...settings, default_payment_method: method };
}
