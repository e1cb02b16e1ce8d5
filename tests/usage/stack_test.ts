// Metered billing on the whole stack, from set-up and checkout to the reports of the edge function.
import assert from "node:assert/strict";
import { connectStripe } from "../../billing/stripe.ts";
import { apiClient, newAdmin } from "../http/client.ts";
import { startTestStack } from "../support/stack.ts";
import { writeMeteredPlans } from "../support/metered_plans.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";

Deno.test("report-usage reports a subscriber's usage, Stripe counts it, and a refusal after the customer was deleted is stored", async () => {
  await using folder = await makeTemporaryFolder();
  const plansFile = `${folder.path}/plans.toml`;
  await writeMeteredPlans(plansFile);
  await using stack = await startTestStack({ plansFile });
  const stripe = connectStripe({ secretKey: stack.keys.stripeSecretKey, apiBase: stack.urls.stripe });
  const sql = stack.database.connect("postgres");
  const api = apiClient(stack);

  const admin = newAdmin();
  const token = await api.signIn(admin);
  const { body } = await api.call("POST", "/api/stripe/create-checkout-session", { token, json: {} });
  await simulator("POST", `/_sim/checkout/${body.sessionId}/pay`);
  await simulator("GET", "/_sim/idle");
  const [subscription] = await sql`
    select items from public.subscriptions where community_id = ${admin.cid}`;
  assert.deepEqual(
    subscription.items.map((item: { usage_type: string }) => item.usage_type).sort(),
    ["licensed", "metered"],
    "the webhook stores both items",
  );

  await useTwoHoursAgo(25);
  assert.deepEqual(await reportUsage(), { sent: 1, retried: 0, refused: 0, givenUp: 0 });
  assert.deepEqual(await reportUsage(), { sent: 0, retried: 0, refused: 0, givenUp: 0 });
  const [{ stripe_customer_id: customer }] = await sql`
    select stripe_customer_id from public.communities where id = ${admin.cid}`;
  assert.equal(await counted(customer), 25);

  // Stripe accepts usage of a deleted customer, and refuses it later in a thin event.
  await useTwoHoursAgo(4);
  await stripe.customers.del(customer);
  assert.equal((await reportUsage()).sent, 1);
  await until(async () => {
    await simulator("GET", "/_sim/idle");
    const [refused] = await sql`select error from public.unsent_usage_reports where state = 'refused'`;
    return refused?.error.startsWith("meter_event_customer_not_found");
  });

  async function simulator(method: string, path: string) {
    const response = await fetch(`${stack.urls.stripe}${path}`, { method });
    assert.equal(response.status, 200, await response.text());
  }

  /** Sets the database's clock of usage back for one use. */
  async function useTwoHoursAgo(quantity: number) {
    const clock = (moment: string) =>
      sql.script(`
        create or replace function billing.clock() returns timestamptz language plpgsql volatile set search_path = ''
        as $$ begin return ${moment}; end $$`);
    await clock("clock_timestamp() - interval '2 hours'");
    await sql`select billing.consume_quota(${admin.cid}, 'ai_chat_message', ${quantity}, 'ann')`;
    await clock("clock_timestamp()");
  }

  async function reportUsage() {
    const response = await fetch(`${stack.urls.supabase}/functions/v1/report-usage`, {
      method: "POST",
      headers: { apikey: stack.keys.cronSecret },
    });
    const { compared: _, differences: __, ...run } = await response.json();
    assert.equal(response.status, 200);
    return run;
  }

  async function counted(customer: string): Promise<number> {
    const { data: [meter] } = await stripe.billing.meters.list();
    const minute = Math.floor(Date.now() / 60_000) * 60;
    const summaries = await stripe.billing.meters.listEventSummaries(meter.id, {
      customer,
      start_time: minute - 4 * 3600,
      end_time: minute,
    });
    return summaries.data.reduce((sum, { aggregated_value }) => sum + aggregated_value, 0);
  }
});

Deno.test("report-usage refuses a request without the schedules' secret with 400 invalid_signature", async () => {
  await using stack = await startTestStack({ app: "none" });
  for (const apikey of ["", "wrong"]) {
    const response = await fetch(`${stack.urls.supabase}/functions/v1/report-usage`, {
      method: "POST",
      headers: { apikey },
    });
    assert.equal(response.status, 400);
    assert.equal((await response.json()).code, "invalid_signature");
  }
});

async function until(isSo: () => Promise<boolean>, milliseconds = 20_000) {
  const deadline = performance.now() + milliseconds;
  while (!await isSo()) {
    assert.ok(performance.now() < deadline, "the condition was not met in time");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
