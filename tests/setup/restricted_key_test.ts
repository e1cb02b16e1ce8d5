// Everything that Dues asks of Stripe, with a restricted key that has the permissions of .env.example and no others.
import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { type ApiClient, apiClient, newAdmin } from "../http/client.ts";
import { writeMeteredPlans } from "../support/metered_plans.ts";
import { runOperatorTask } from "../support/operator_task.ts";
import { callSimulator, payCheckout } from "../support/simulator.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";

const documented = [
  ...(await Deno.readTextFile(new URL("../../.env.example", import.meta.url))).matchAll(
    /^# {3}(\w+_(?:read|write)) /gm,
  ),
].map(([_, permission]) => permission);

let plans: Awaited<ReturnType<typeof makeTemporaryFolder>>;
let stack: TestStack;
let api: ApiClient;
let sql: Pool;

Deno.test.beforeAll(async () => {
  plans = await makeTemporaryFolder();
  await writeMeteredPlans(`${plans.path}/plans.toml`);
  stack = await startTestStack({ plansFile: `${plans.path}/plans.toml`, stripePermissions: documented });
  api = apiClient(stack);
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(async () => {
  await stack?.stop();
  await plans?.[Symbol.asyncDispose]();
});

const stripeKey = () => stack.keys.stripeSecretKey;
const restrict = (permissions: string[]) =>
  callSimulator(stack, "PUT", `/_sim/restricted_keys/${stripeKey()}`, { permissions });

/** Each rejects when something of it fails. */
const steps = {
  async setUp() {
    await runTask("stripe_setup.ts", ["--plans", `${plans.path}/plans.toml`]);
  },
  async checkout() {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    const { status, body } = await api.call("POST", "/api/stripe/create-checkout-session", {
      token,
      json: {},
    });
    assert.equal(status, 200, JSON.stringify(body));
    await payCheckout(stack, body.sessionId);
    const { body: info } = await api.call("GET", "/api/community/billing-info", { token });
    assert.equal(info.plan.code, "pro");
    // A second checkout looks for what the first one left in Stripe.
    const again = await api.call("POST", "/api/stripe/create-checkout-session", { token, json: {} });
    assert.equal(again.body.code, "already_subscribed");
    return { admin, token };
  },
  async portal() {
    const token = await api.signIn(subscribed);
    const { status, body } = await api.call("POST", "/api/stripe/create-portal-session", { token, json: {} });
    assert.equal(status, 200, JSON.stringify(body));
  },
  async reconcile() {
    // A difference, so that the objects themselves are asked for, and an event that was missed.
    await sql`update public.subscriptions set status = 'unpaid' where community_id = ${subscribed.cid}`;
    await sql`update public.invoices set status = 'open' where community_id = ${subscribed.cid}`;
    await sql`delete from billing.stripe_events where type = 'customer.subscription.created'`;
    await runTask("reconcile.ts", ["--json"]);
    await callFunction("reconcile");
    const [{ status }] = await sql`
      select status from public.subscriptions where community_id = ${subscribed.cid}`;
    assert.equal(status, "active");
  },
  async reportUsage() {
    const clock = (moment: string) =>
      sql.script(`
        create or replace function billing.clock() returns timestamptz language plpgsql volatile set search_path = ''
        as $$ begin return ${moment}; end $$`);
    await clock("clock_timestamp() - interval '2 hours'");
    await sql`select billing.consume_quota(${subscribed.cid}, 'ai_chat_message', 20, 'ann')`;
    await clock("clock_timestamp()");
    assert.equal((await callFunction("report-usage")).sent, 1);
  },
  async checkUsage() {
    await sql`update billing.usage_queues set checked_at = null`;
    await runTask("usage_check.ts", ["--json"]);
  },
  async thinEvent() {
    const [{ customer }] = await sql`
      select stripe_customer_id as customer from public.communities where id = ${subscribed.cid}`;
    const response = await fetch(`${stack.urls.stripe}/v1/customers/${customer}`, {
      method: "DELETE",
      headers: { authorization: "Bearer sk_test_owner" },
    });
    assert.ok(response.ok, await response.text());
    // The use of a deleted customer is refused, which a thin event says.
    await steps.reportUsage();
    const deadline = performance.now() + 20_000;
    for (;;) {
      const rows = await sql`select from public.unsent_usage_reports where state = 'refused'`;
      if (rows.length > 0) return;
      assert.ok(performance.now() < deadline, "the refusal did not arrive");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
};

let subscribed = newAdmin();

async function runTask(file: string, args: string[]) {
  const { postgres: databaseUrl, stripe: stripeUrl, supabase: supabaseUrl } = stack.urls;
  const operator = { databaseUrl, stripeUrl, stripeKey: stripeKey(), supabaseUrl };
  const { success, out, err } = await runOperatorTask(operator, file, args);
  assert.ok(success, out + err);
  assert.doesNotMatch(out + err, /required permissions/);
}

async function callFunction(name: string) {
  const response = await fetch(`${stack.urls.supabase}/functions/v1/${name}`, {
    method: "POST",
    headers: { apikey: stack.keys.cronSecret },
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.doesNotMatch(text, /required permissions/);
  return JSON.parse(text);
}

Deno.test("set-up, checkout, webhook, portal, reconciliation and usage work with the permissions of .env.example", async (test) => {
  assert.ok(documented.length > 0);
  subscribed = (await steps.checkout()).admin;
  for (const name of ["setUp", "portal", "reconcile", "reportUsage", "checkUsage"] as const) {
    await test.step(name, async () => void await steps[name]());
  }
});

Deno.test("usage that Stripe refuses, which a thin event says, is read with the permissions of .env.example", () =>
  steps.thinEvent());

const neededBy: Record<string, keyof typeof steps> = {
  checkout_session_write: "checkout",
  customer_write: "checkout",
  customer_portal_write: "portal",
  subscription_read: "reconcile",
  invoice_read: "reconcile",
  event_read: "reconcile",
  billing_meter_event_write: "reportUsage",
  billing_meter_write: "setUp",
  product_write: "setUp",
  plan_write: "setUp",
  webhook_write: "setUp",
  event_destination_write: "setUp",
};

Deno.test("each permission of .env.example is needed", async (test) => {
  assert.deepEqual(Object.keys(neededBy).sort(), documented.toSorted());
  subscribed = (await steps.checkout()).admin;
  for (const [permission, step] of Object.entries(neededBy)) {
    await test.step(`${step} fails without ${permission}`, async () => {
      await restrict(documented.filter((each) => each !== permission));
      await assert.rejects(async () => void await steps[step]());
    });
  }
  await restrict(documented);
});
