import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Pool } from "../../billing/db/sql.ts";
import Stripe from "stripe";
import { type ApiClient, apiClient, newAdmin, type Person } from "../http/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import {
  type Answer,
  type Caller,
  callers,
  functions,
  helpers,
  type RouteRow,
  routes,
  type Sight,
  tables,
} from "./matrix.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let stack: TestStack;
let api: ApiClient;
let sql: Pool;
const admin = newAdmin({ title: "Garden" });
const member: Person = { ...admin, sub: "bob", adm: false };
const neighbour = newAdmin({ title: "Chess" });

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  api = apiClient(stack);
  sql = stack.database.connect("postgres");
  for (const person of [admin, neighbour]) await subscribe(person);
});
Deno.test.afterAll(async () => await stack?.stop());

/** Gives a community a subscription, an invoice and some use of a feature. */
async function subscribe(person: Person) {
  const token = await api.upgrade(person);
  const used = await api.call("POST", "/api/assistant/messages", { token, json: { message: "Hello" } });
  assert.equal(used.status, 200);
}

/** The caller's session token, if any, signed with this secret. */
async function tokenOf(
  caller: Caller,
  { secret = stack.keys.sessionSecret, otherAdmin = newAdmin() } = {},
): Promise<string | null> {
  const tokenOfPerson = async (person: Person) => {
    await api.signIn(person);
    return await api.sessionToken(person, {}, secret);
  };
  switch (caller) {
    case "member":
      return await tokenOfPerson(member);
    case "admin":
      return await tokenOfPerson(admin);
    case "other admin":
      return await tokenOfPerson(otherAdmin);
    case "expired":
      return await api.sessionToken(admin, { iat: 1000, exp: 2000 }, secret);
    case "forged":
      return await api.sessionToken(admin, {}, "a secret that only its forger knows, and nobody else");
    case "wrong audience":
      return await api.sessionToken(admin, { aud: "https://other.example" }, secret);
    case "service role":
      return stack.keys.supabaseSecretKey;
    default:
      return null;
  }
}

/** A request with all credentials of the caller. */
async function requestOf(caller: Caller, { method, path, json }: RouteRow): Promise<Request> {
  const base = path.startsWith("/functions/") ? stack.urls.supabase : stack.urls.plugin;
  const event = {
    id: `evt_${crypto.randomUUID()}`,
    object: "event",
    type: "a.type",
    created: 1,
    livemode: false,
    data: { object: {} },
  };
  const body = method === "GET" ? undefined : JSON.stringify(json ?? event);
  const token = await tokenOf(caller);
  const headers = new Headers();
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  if (caller === "service role") headers.set("apikey", stack.keys.supabaseSecretKey);
  if (caller === "schedule") headers.set("apikey", stack.keys.cronSecret);
  if (caller === "Stripe" && body !== undefined) headers.set("stripe-signature", await sign(body));
  return new Request(`${base}${path}`, { method, headers, body });
}

function sign(payload: string): Promise<string> {
  return new Stripe("sk_test_signer").webhooks.generateTestHeaderStringAsync({
    payload,
    secret: stack.keys.stripeWebhookSecret.split(",")[0],
  });
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  if (response.status === 200) return 200;
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  return isPage ? response.status as 404 : [response.status, JSON.parse(text).code];
}

for (const row of routes) {
  Deno.test(`${row.method} ${row.path} answers every caller as in the matrix`, async () => {
    const answers: Partial<Record<Caller, Answer>> = {};
    for (const caller of callers) answers[caller] = await answerOf(await fetch(await requestOf(caller, row)));
    assert.deepEqual(answers, row.answers);
  });
}

Deno.test("billing-info answers each caller about their own community, with invoices for admins only", async () => {
  for (const person of [member, admin, neighbour]) {
    const token = await api.signIn(person);
    const { body } = await api.call("GET", "/api/community/billing-info", { token });
    assert.deepEqual([body.community.id, body.invoices.length], [person.cid, person.adm ? 1 : 0]);
  }
});

/**
 * Calls the data API with a token that is signed as Supabase expects, which the plugin server does if it is given that key;
 * without a token, with the publishable key only.
 */
async function rest(caller: Caller, method: string, path: string, headers: HeadersInit = {}, body?: unknown) {
  const isOperator = caller === "service role";
  const secret = stack.keys.supabaseJwtSecret;
  const token = isOperator ? null : await tokenOf(caller, { secret, otherAdmin: neighbour });
  const all = new Headers(headers);
  all.set("apikey", isOperator ? stack.keys.supabaseSecretKey : stack.keys.supabasePublishableKey);
  if (token !== null) all.set("authorization", `Bearer ${token}`);
  if (body !== undefined) all.set("content-type", "application/json");
  const response = await fetch(`${stack.urls.supabase}/rest/v1/${path}`, {
    method,
    headers: all,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

/** A refusal is 401 or 403, not an empty list. */
const isRefused = (status: number) => status === 401 || status === 403;

function sightOf(
  { status, text }: { status: number; text: string },
  column: string,
  own: string,
): Sight | string {
  if (isRefused(status)) return "refused";
  if (status !== 200) return `${status} ${text}`;
  const seen: Record<string, unknown>[] = JSON.parse(text);
  if (seen.length === 0) return "none";
  return seen.every((row) => row[column] === own) ? "own" : "all";
}

for (const { name, column, ...row } of tables) {
  Deno.test(`${name} shows every caller the rows of the matrix`, async () => {
    const [rows] = await sql.script(`select from public.${name}`);
    const all: Sight = rows.length === 0 ? "none" : "all";
    const expected: Record<Caller, Sight> = {
      nobody: "refused",
      member: row.member,
      admin: row.admin,
      "other admin": row.admin,
      expired: "refused",
      forged: "refused",
      "wrong audience": row.admin, // the data API does not check the audience; Dues' own server does
      "service role": row.operator === "all" ? all : row.operator,
      schedule: "refused",
      Stripe: "refused",
    };
    const seen: Partial<Record<Caller, Sight | string>> = {};
    for (const caller of callers) {
      const own = caller === "other admin" ? neighbour.cid : admin.cid;
      seen[caller] = sightOf(await rest(caller, "GET", `${name}?select=${column}`), column, own);
    }
    assert.deepEqual(seen, expected);
  });

  Deno.test(`${name} can be edited by ${row.edited ? "the operator only" : "nobody"}`, async () => {
    const [edited, value] = row.edited ?? [column, "nothing"];
    for (const caller of callers) {
      const changed = await rest(caller, "PATCH", `${name}?${column}=eq.nothing`, {}, { [edited]: value });
      const deleted = await rest(caller, "DELETE", `${name}?${column}=eq.nothing`);
      const isAllowed = caller === "service role" && row.edited !== null;
      assert.deepEqual(
        [changed.status < 300, deleted.status < 300],
        [isAllowed, isAllowed],
        `${caller}: ${changed.status} ${changed.text}; ${deleted.status} ${deleted.text}`,
      );
    }
  });
}

for (const name of functions) {
  Deno.test(`function ${name} answers only people, each about their own community`, async () => {
    for (const caller of callers) {
      const { status, text } = await rest(caller, "POST", `rpc/${name}`, {}, {});
      const isPerson = ["member", "admin", "other admin", "wrong audience"].includes(caller);
      assert.equal(status === 200, isPerson, `${caller}: ${status} ${text}`);
      const own = caller === "other admin" ? neighbour.cid : admin.cid;
      if (isPerson) assert.equal(JSON.parse(text).community.id, own, caller);
    }
  });
}

Deno.test("function plan_in_force tells people the plan of their own community, and of any other the default plan", async () => {
  const plans = await sql<{ id: string; code: string }[]>`select id, code from public.plans`;
  const idOf = (wanted: string) => Number(plans.find(({ code }) => code === wanted)!.id);
  const arguments_ = {
    p_community_id: admin.cid,
    p_current_plan_id: idOf("free"),
    p_plan_until: "-infinity",
  };
  const seen: Partial<Record<Caller, number | "refused">> = {};
  for (const caller of callers) {
    const { status, text } = await rest(caller, "POST", "rpc/plan_in_force", {}, arguments_);
    seen[caller] = isRefused(status) ? "refused" : JSON.parse(text)[0].plan_id;
  }
  assert.deepEqual(seen, {
    nobody: "refused",
    member: idOf("pro"),
    admin: idOf("pro"),
    "other admin": idOf("free"),
    expired: "refused",
    forged: "refused",
    "wrong audience": idOf("pro"),
    "service role": idOf("pro"),
    schedule: "refused",
    Stripe: "refused",
  });
});

Deno.test("the data API refuses every table of schema billing to every caller", async () => {
  const names = await sql`
    select c.relname as name from pg_class c
    where c.relnamespace = 'billing'::regnamespace and c.relkind in ('r', 'p', 'v')`;
  assert.ok(names.length > 0);
  for (const caller of callers) {
    for (const { name } of names) {
      const { status, text } = await rest(caller, "GET", `${name}?select=*`, { "accept-profile": "billing" });
      assert.ok(status >= 400 && status < 500, `${caller}, ${name}: ${status} ${text}`);
    }
  }
});

Deno.test("every route and every edge function has a row in the matrix", () => {
  const files = [
    ...globSync("routes/**/*.{ts,tsx}", { cwd: root }).filter((path) => !/(^|\/)_[^/]*$/.test(path)),
    "examples/assistant/AssistantPage.tsx",
    "examples/assistant/messages.ts",
    ...globSync("supabase/functions/*/index.ts", { cwd: root }),
  ];
  assert.deepEqual(routes.map(({ file }) => file).sort(), files.sort());
});

Deno.test("every table, view and function of schema public has a row in the matrix", async () => {
  const relations = await sql`
    select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1`;
  assert.deepEqual(tables.map(({ name }) => name).sort(), relations.map(({ name }) => name).sort());
  const callable = await sql`
    select distinct p.proname as name from pg_proc p where p.pronamespace = 'public'::regnamespace`;
  assert.deepEqual([...functions, ...helpers].sort(), callable.map(({ name }) => name).sort());
});

Deno.test("the table in docs/architecture.md names every route, edge function, table, view and function", () => {
  const text = readFileSync(`${root}/docs/architecture.md`, "utf8");
  const table = text.slice(
    text.indexOf("## Who is trusted"),
    text.indexOf("`supabase/tests/privileges_test.sql`"),
  );
  const apiRoutes = routes.filter(({ file, path }) => path.startsWith("/api/") && !file.includes("[..."));
  const names = [
    ...apiRoutes.map(({ method, path }) => `${method} ${path}`),
    ...globSync("supabase/functions/*/", { cwd: root }).map((path) => path.split("/")[2]),
    ...tables.map(({ name }) => name),
    ...functions,
    ...helpers,
  ];
  assert.deepEqual(names.filter((name) => !table.includes(`\`${name}`)), []);
});
