import { addTaxId, removeTaxId, taxIdTypes } from "../behaviour/taxes/customer_tax_ids.ts";
import { missingParameter, noSuch } from "../wire/errors.ts";
import { paginate } from "../wire/pagination.ts";
import { boolean, oneOf, pagination, text } from "../wire/params.ts";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";

const path = "/v1/customers/:id/tax_ids";
const fields = { type: oneOf(...taxIdTypes), value: text() };

/** Tax ids of customers, and the tax rates that automatic tax uses. */
export const taxEndpoints = [
  endpoint(`POST ${path}`, fields, ({ account, change, params, id }) => {
    const customer = account.customers.get(id);
    return addTaxId(change.of(customer), id, params);
  }),

  endpoint(`GET ${path}`, pagination, ({ account, params, id }) => {
    const { id: customer } = account.customers.get(id);
    return paginate(account.taxIds.of(customer).reverse(), params, `/v1/customers/${id}/tax_ids`);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => {
    const [customer, taxId] = id.split("/");
    const found = account.taxIds.of(customer).find((one) => one.id === taxId);
    if (!found) throw noSuch("tax_id", taxId, "path");
    return found;
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, change, id }) => {
    const [customer, taxId] = id.split("/");
    const found = account.taxIds.of(customer).find((one) => one.id === taxId);
    if (!found) throw noSuch("tax_id", taxId, "path");
    return removeTaxId(change.of({ customer }), found);
  }),

  endpoint("POST /v1/tax_ids", {
    ...fields,
    owner: z.strictObject({ customer: text().optional(), type: oneOf("customer") }),
  }, ({ account, change, params }) => {
    if (params.owner.customer === undefined) throw missingParameter("owner[customer]");
    const customer = account.customers.getReferenced(params.owner.customer, "owner[customer]");
    return addTaxId(change.of(customer), customer.id, params);
  }),

  endpoint("GET /v1/tax_ids/:id", {}, ({ account, id }) => account.taxIds.get(id)),

  endpoint("DELETE /v1/tax_ids/:id", {}, ({ account, change, id }) => {
    const taxId = account.taxIds.get(id);
    return removeTaxId(change.of({ customer: taxId.customer }), taxId);
  }),

  endpoint("GET /v1/tax_rates", {
    ...pagination,
    active: boolean().optional(),
    inclusive: boolean().optional(),
  }, ({
    account,
    params,
  }) => {
    const found = account.taxRates.newestFirst().filter((rate) =>
      (params.active === undefined || rate.active === params.active) &&
      (params.inclusive === undefined || rate.inclusive === params.inclusive)
    );
    return paginate(found, params, "/v1/tax_rates");
  }),

  endpoint("GET /v1/tax_rates/:id", {}, ({ account, id }) => account.taxRates.get(id)),
];
