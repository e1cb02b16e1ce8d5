import assert from "node:assert/strict";
import { expand, type Expandables } from "./expand.ts";

const customer = { id: "cus_1", object: "customer", default_card: "card_1" };
const card = { id: "card_1", object: "card" };
const lookUp = (known: { id: string }) => (value: unknown) => value === known.id ? known : value;

const expandables: Expandables = {
  customer: { default_card: lookUp(card) },
  invoice: {
    customer: lookUp(customer),
    "parent.details.customer": lookUp(customer),
    payments: () => ({ object: "list", data: [{ object: "payment", card: "card_1" }] }),
  },
  payment: { card: lookUp(card) },
};

const invoice = {
  object: "invoice",
  status: "paid",
  customer: "cus_1",
  parent: { details: { customer: "cus_1" } },
};
const expandedCustomer = { ...customer, default_card: card };

const cases: [name: string, object: object, paths: string[], expected: object][] = [
  ["nothing without paths", invoice, [], invoice],
  ["a reference", invoice, ["customer"], { ...invoice, customer }],
  ["a reference inside a reference", invoice, ["customer.default_card"], {
    ...invoice,
    customer: expandedCustomer,
  }],
  ["a path and then a deeper one", invoice, ["customer", "customer.default_card"], {
    ...invoice,
    customer: expandedCustomer,
  }],
  ["a reference inside a hash", invoice, ["parent.details.customer"], {
    ...invoice,
    parent: { details: { customer } },
  }],
  ["a reference whose hash is missing", { ...invoice, parent: null }, ["parent.details.customer"], {
    ...invoice,
    parent: null,
  }],
  ["an empty reference", { ...invoice, customer: null }, ["customer"], { ...invoice, customer: null }],
  ["a field shown on demand, and inside it", invoice, ["payments.data.card"], {
    ...invoice,
    payments: { object: "list", data: [{ object: "payment", card }] },
  }],
  ["every object of a list", { object: "list", data: [invoice, invoice] }, ["data.customer"], {
    object: "list",
    data: [{ ...invoice, customer }, { ...invoice, customer }],
  }],
];

for (const [name, object, paths, expected] of cases) {
  Deno.test(`expand() expands ${name}`, () => assert.deepEqual(expand(object, paths, expandables), expected));
}

for (const path of ["nothing", "status", "customer.name", "a.b.c.d.e"]) {
  Deno.test(`expand() refuses the path ${path}`, () => {
    assert.throws(() => expand(invoice, [path], expandables), { status: 400, type: "invalid_request_error" });
  });
}

Deno.test("expand() does not modify the given object", () => {
  const before = structuredClone(invoice);
  expand(invoice, ["customer", "parent.details.customer"], expandables);
  assert.deepEqual(invoice, before);
});
