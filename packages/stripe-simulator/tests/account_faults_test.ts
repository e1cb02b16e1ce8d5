// What Stripe does on a bad day: failures it remembers, silence, keys without permission, ids of the other mode.
import assert from "node:assert/strict";
import Stripe from "stripe";
import { connect, startSimulator, type TestSimulator } from "../testing.ts";

async function control({ simulator }: TestSimulator, method: string, path: string, body?: object) {
  const response = await fetch(`${simulator.url}${path}`, { method, body: body && JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

function createCustomer({ simulator }: TestSimulator, key: string): Promise<Response> {
  return fetch(`${simulator.url}/v1/customers`, {
    method: "POST",
    headers: { "authorization": "Bearer sk_test_suite", "idempotency-key": key },
    body: new URLSearchParams({ name: "Ada" }),
  });
}

Deno.test("a 5xx is replayed for its idempotency key, and only another key helps", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({
    kind: "api_error",
    target: "POST /v1/customers",
    status: 500,
    carried_out: false,
  });
  const first = await createCustomer(rig, "a");
  const again = await createCustomer(rig, "a");
  assert.deepEqual([first.status, again.status], [500, 500]);
  assert.equal(await first.text(), await again.text());
  assert.deepEqual(
    [first, again].map(({ headers }) => headers.get("idempotent-replayed")),
    [null, "true"],
  );
  assert.equal(again.headers.get("original-request"), first.headers.get("request-id"));
  assert.notEqual(again.headers.get("request-id"), first.headers.get("request-id"));
  const other = await createCustomer(rig, "b");
  assert.equal(other.status, 200);
  await other.body?.cancel();
  assert.equal((await rig.stripe.customers.list()).data.length, 1);
});

Deno.test("a stored 5xx with carried_out has its effect once and is replayed", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({
    kind: "api_error",
    target: "POST /v1/customers",
    status: 503,
    carried_out: true,
  });
  for (const _ of [1, 2]) assert.equal((await createCustomer(rig, "a")).status, 503);
  assert.equal((await rig.stripe.customers.list()).data.length, 1);
});

Deno.test("a saved reply is replayed although a fault waits, which does not use the fault up", async () => {
  await using rig = await startSimulator();
  assert.equal((await createCustomer(rig, "a")).status, 200);
  rig.simulator.faults.add({
    kind: "api_error",
    target: "POST /v1/customers",
    status: 500,
    carried_out: false,
  });
  assert.equal((await createCustomer(rig, "a")).status, 200);
  assert.equal(rig.simulator.faults.list().length, 1);
});

Deno.test("an error with stored: false is not remembered for the idempotency key", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({
    kind: "api_error",
    target: "POST /v1/customers",
    status: 502,
    carried_out: false,
    stored: false,
  });
  assert.equal((await createCustomer(rig, "a")).status, 502);
  assert.equal((await createCustomer(rig, "a")).status, 200);
});

Deno.test("api_silence never answers: the client's deadline ends the request", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({ kind: "api_silence", target: "GET /v1/*", carried_out: false, headers: false });
  const started = Date.now();
  const request = fetch(`${rig.simulator.url}/v1/customers`, {
    headers: { authorization: "Bearer sk_test_suite" },
    signal: AbortSignal.timeout(150),
  });
  await assert.rejects(request, { name: "TimeoutError" });
  assert.ok(Date.now() - started >= 140);
});

Deno.test("api_silence with headers answers with a status and a body that never ends", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({ kind: "api_silence", target: "GET /v1/*", carried_out: true, headers: true });
  const response = await fetch(`${rig.simulator.url}/v1/customers`, {
    headers: { authorization: "Bearer sk_test_suite" },
    signal: AbortSignal.timeout(300),
  });
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
});

Deno.test("stop() ends requests that api_silence holds", async () => {
  const rig = await startSimulator();
  rig.simulator.faults.add({ kind: "api_silence", target: "*", carried_out: false, headers: false });
  const request = fetch(`${rig.simulator.url}/v1/customers`, {
    headers: { authorization: "Bearer sk_test_suite" },
  }).then((response) => response.text()).catch(() => "broken");
  while (rig.simulator.faults.list().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await rig.simulator.stop();
  assert.equal(await request, "broken");
});

Deno.test("a restricted key is refused with 403 and the permission's name, and writing includes reading", async () => {
  await using rig = await startSimulator();
  const key = "rk_test_1234567890abcdef";
  await control(rig, "PUT", `/_sim/restricted_keys/${key}`, {
    permissions: ["customer_write", "invoice_read"],
  });
  const restricted = connect(rig.simulator, { key });
  const { id } = await restricted.customers.create({});
  assert.equal((await restricted.customers.retrieve(id)).id, id);
  assert.deepEqual((await restricted.invoices.list()).data, []);
  const refused = {
    type: "StripePermissionError",
    rawType: "invalid_request_error",
    statusCode: 403,
    code: undefined,
  };
  await assert.rejects(restricted.invoices.create({ customer: id }), {
    ...refused,
    message:
      "The provided key 'rk_test_************cdef' does not have the required permissions for this endpoint on " +
      "account 'acct_simulated'. Having the 'rak_invoice_write' permission would allow this request to continue.",
  });
  await assert.rejects(restricted.prices.list().then(() => {}), { ...refused, message: /'rak_plan_read'/ });
  await control(rig, "DELETE", `/_sim/restricted_keys/${key}`);
  assert.deepEqual((await restricted.prices.list()).data, []);
});

Deno.test("an id that exists in live mode is refused with Stripe's hint", async () => {
  await using rig = await startSimulator();
  await control(rig, "POST", "/_sim/live_objects", { id: "cus_live" });
  const message =
    "No such customer: 'cus_live'; a similar object exists in live mode, but a test mode key was used " +
    "to make this request.";
  const expected = { type: "StripeInvalidRequestError", code: "resource_missing", message };
  await assert.rejects(rig.stripe.customers.retrieve("cus_live"), {
    ...expected,
    statusCode: 404,
    param: "id",
  });
  await assert.rejects(rig.stripe.subscriptions.list({ customer: "cus_live" }).then(() => {}), {
    ...expected,
    statusCode: 400,
    param: "customer",
  });
  const error = await rig.stripe.customers.retrieve("cus_none").catch((error) => error);
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(error.message, "No such customer: 'cus_none'");
});
