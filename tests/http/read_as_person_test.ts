// How the server reads what a person may see: over its own connection as role authenticated, so that row-level security
// decides, and without any key that Supabase trusts.
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { createBilling } from "../../billing/billing.ts";
import { readBillingInfo } from "../../billing/billing_info.ts";
import { readServerConfig } from "../../billing/config.ts";
import { connectDatabase } from "../../billing/db/database.ts";
import type { Database as Schema } from "../../billing/db/database_types.ts";
import { asJson } from "../../billing/db/sql.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { type ApiClient, apiClient, newAdmin } from "./client.ts";

let stack: TestStack;
let api: ApiClient;

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  api = apiClient(stack);
});
Deno.test.afterAll(() => stack?.stop());

const claimsOf = (cid: string, adm: boolean) => asJson({ sub: "ann", cid, adm, role: "authenticated" });

/** A client of the data API with this token, as a browser would have it. */
const supabaseClient = (token: string) =>
  createClient<Schema>(stack.urls.supabase, stack.keys.supabasePublishableKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { headers: { authorization: `Bearer ${token}` } },
  });

Deno.test("the plugin server's environment has no key and no address of Supabase but the database's", () => {
  assert.deepEqual(Object.keys(stack.env).filter((name) => name.startsWith("SUPABASE")), ["SUPABASE_DB_URL"]);
});

Deno.test("billing.billing_info_as() leaves neither role nor claims behind, whoever logged in", async () => {
  const admin = newAdmin();
  await api.upgrade(admin);
  for (const login of ["billing_service", "postgres"] as const) {
    await using db = connectDatabase(stack.database.url(login), { max: 1 });
    const [{ info }] = await db`select billing.billing_info_as(${claimsOf(admin.cid, true)}) as info`;
    assert.deepEqual([info.community.id, info.invoices.length], [admin.cid, 1], login);
    const [after] = await db`
      select current_user::text as role, nullif(current_setting('request.jwt.claims', true), '') as claims`;
    assert.deepEqual(after, { role: "billing_service", claims: null }, login);
    await assert.rejects(db`select from public.communities`, { code: "42501" }, login);
  }
});

Deno.test("billing.billing_info_as() shows a person what row-level security lets them see", async () => {
  const admin = newAdmin();
  await api.upgrade(admin);
  await using db = connectDatabase(stack.database.url("billing_service"), { max: 1 });
  const read = async (claims: string) =>
    (await db`select billing.billing_info_as(${claims}) as info`)[0].info;
  assert.equal((await read(claimsOf(admin.cid, true))).invoices.length, 1);
  assert.deepEqual((await read(claimsOf(admin.cid, false))).invoices, []);
  assert.equal(await read(claimsOf("nowhere", true)), null);
  assert.equal(await read("{}"), null);
});

Deno.test("billing.billing_info_as() reads only: as authenticated, the connection can write nothing", async () => {
  await using db = connectDatabase(stack.database.url("billing_service"), { max: 1 });
  for (
    const statement of [
      "update public.communities set title = 'Mine'",
      "delete from public.plans",
      "select stripe_customer_id from public.communities",
      "select from billing.stripe_events",
      "set role service_role",
      "set role postgres",
    ]
  ) {
    await assert.rejects(db.script(`begin; set local role authenticated; ${statement}`), { code: "42501" });
    await db.script("rollback");
  }
});

Deno.test("readBillingInfo() asks the database once", async () => {
  const admin = newAdmin();
  await api.signIn(admin);
  await using db = connectDatabase(stack.database.url("billing_service"), { max: 1 });
  let statements = 0;
  const counted = Object.assign(
    (...args: Parameters<typeof db>) => (statements++, db(...args)),
    db,
  ) as typeof db;
  const session = { userId: "ann", communityId: admin.cid, isAdmin: true, pluginId: null };
  const info = await readBillingInfo(counted, session as Parameters<typeof readBillingInfo>[1]);
  assert.deepEqual([info.community.id, statements], [admin.cid, 1]);
});

Deno.test("the data API does not accept a session token, unless a key that Supabase trusts is set", async () => {
  const admin = newAdmin();
  const token = await api.upgrade(admin);
  const refused = await supabaseClient(token).from("communities").select("id");
  assert.equal(refused.status, 401);

  const billing = await createBilling(readServerConfig({
    ...stack.env,
    SUPABASE_JWT_SECRET: stack.keys.supabaseJwtSecret,
  }));
  const trusted = await billing.openSession({ identityToken: await api.identityToken(admin) });
  const client = supabaseClient(trusted.token);
  assert.deepEqual((await client.from("communities").select("id")).data, [{ id: admin.cid }]);
  assert.equal((await client.from("subscriptions").select("status")).data?.[0].status, "active");
  assert.equal((await client.from("invoices").select("status")).data?.length, 1);
  const { data } = await client.rpc("billing_info");
  assert.equal((data as { community: { id: string } }).community.id, admin.cid);
  const written = await client.from("communities").update({ title: "Mine" } as never).eq("id", admin.cid);
  assert.equal(written.status, 403);

  // The same token opens the plugin's own API on a server with that key.
  const session = await billing.authenticate(trusted.token);
  assert.equal((await billing.billingInfo(session)).community.id, admin.cid);
});
