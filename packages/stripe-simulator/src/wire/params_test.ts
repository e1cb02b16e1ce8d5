import assert from "node:assert/strict";
import { z } from "zod";
import { decodeForm } from "./form_encoding.ts";
import {
  boolean,
  clearable,
  integer,
  list,
  metadata,
  oneOf,
  parseParams,
  text,
  timeFilter,
  url,
} from "./params.ts";

const schema = z.strictObject({
  name: text(10),
  count: integer({ min: 1, max: 99 }).optional(),
  active: boolean().optional(),
  mode: oneOf("payment", "subscription").optional(),
  success_url: url().optional(),
  description: clearable(text()).optional(),
  address: clearable(z.strictObject({ city: text() })).optional(),
  items: list(z.strictObject({ price: text(), quantity: integer().optional() })).optional(),
  metadata: metadata().optional(),
  created: timeFilter().optional(),
});

const parse = (form: string) => parseParams(schema, decodeForm(form));

const readings: [form: string, expected: Partial<z.output<typeof schema>>][] = [
  ["name=x", { name: "x" }],
  ["name=x&count=42&active=true", { name: "x", count: 42, active: true }],
  ["name=x&active=false", { name: "x", active: false }],
  ["name=x&mode=payment", { name: "x", mode: "payment" }],
  ["name=x&description=", { name: "x", description: null }],
  ["name=x&description=d", { name: "x", description: "d" }],
  ["name=x&address=", { name: "x", address: null }],
  ["name=x&address[city]=Bern", { name: "x", address: { city: "Bern" } }],
  ["name=x&items[1][price]=b&items[0][price]=a&items[0][quantity]=2", {
    name: "x",
    items: [{ price: "a", quantity: 2 }, { price: "b" }],
  }],
  ["name=x&metadata[0]=zero", { name: "x", metadata: { 0: "zero" } }],
  ["name=x&metadata=", { name: "x", metadata: null }],
  ["name=x&created=12", { name: "x", created: 12 }],
  ["name=x&created[gte]=12&created[lt]=20", { name: "x", created: { gte: 12, lt: 20 } }],
  ["name=x&success_url=https://a.b/?s={CHECKOUT_SESSION_ID}", {
    name: "x",
    success_url: "https://a.b/?s={CHECKOUT_SESSION_ID}",
  }],
];

for (const [form, expected] of readings) {
  Deno.test(`parseParams() reads ${form}`, () => assert.deepEqual(parse(form), expected));
}

const refusals: [form: string, code: string | undefined, param: string][] = [
  ["", "parameter_missing", "name"],
  ["name=", "parameter_invalid_empty", "name"],
  ["name=x&colour=red", "parameter_unknown", "colour"],
  ["colour=red", "parameter_unknown", "colour"],
  ["name=x&items[0][colour]=red", "parameter_unknown", "items[0][colour]"],
  ["name=x&items[0][quantity]=1", "parameter_missing", "items[0][price]"],
  ["name=x&count=1.5", "parameter_invalid_integer", "count"],
  ["name=x&count=100", "parameter_invalid_integer", "count"],
  ["name=x&active=yes", undefined, "active"],
  ["name=x&mode=gift", undefined, "mode"],
  ["name=12345678901", undefined, "name"],
  ["name=x&success_url=javascript:alert(1)", "url_invalid", "success_url"],
  [`name=x&metadata[k]=${"v".repeat(501)}`, undefined, "metadata[k]"],
  ["name[a]=x", undefined, "name"],
];

for (const [form, code, param] of refusals) {
  Deno.test(`parseParams() refuses "${form.slice(0, 40)}" with ${code ?? "an error without code"}`, () => {
    assert.throws(
      () => parse(form),
      (error: { status: number; details: { code?: string; param?: string } }) => {
        assert.equal(error.status, 400);
        assert.equal(error.details.code, code);
        assert.equal(error.details.param, param);
        return true;
      },
    );
  });
}
