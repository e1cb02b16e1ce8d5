import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { SignJWT } from "jose";
import { Children } from "../../local/processes/children.ts";
import { projectPath } from "../../local/paths.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { startGateway } from "../../local/supabase/gateway.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

const JWT_SECRET = "a secret of at least thirty-two characters";
const PUBLISHABLE = "sb_publishable_test";
const SECRET = "sb_secret_test";

const TABLES = `
  create table public.notes (id int primary key, community_id text not null, text text);
  alter table public.notes enable row level security;
  create policy notes_select on public.notes for select to authenticated
    using (community_id = ((select auth.jwt()) ->> 'cid'));
  grant select (id, community_id) on public.notes to authenticated;
  grant select, insert on public.notes to service_role;
  insert into public.notes values (1, 'c1', 'mine'), (2, 'c2', 'theirs');

  create table public.open_door (id int primary key);
  insert into public.open_door values (1);

  create function public.whoami() returns text language sql as 'select current_user::text';
  revoke execute on function public.whoami() from public;
  grant execute on function public.whoami() to authenticated;
`;

let database: TestDatabase;
let url: string;
const children = new Children();

Deno.test.beforeAll(async () => {
  database = await createDatabase("blank");
  await database.connect("postgres").script(TABLES);
  const [port] = freePorts(1);
  url = `http://127.0.0.1:${port}`;
  await startGateway(children, {
    port,
    requestUrl: database.url("authenticator"),
    structureUrl: database.url("postgres"),
    jwtSecret: JWT_SECRET,
    publishableKey: PUBLISHABLE,
    secretKey: SECRET,
    functionSecrets: { SUPABASE_DB_URL: database.url("billing_service"), GREETING: "hello" },
    folder: projectPath("tests", "local", "project"),
  });
});

Deno.test.afterAll(async () => {
  await children.stop();
  await database.drop();
});

function token(claims: Record<string, unknown>, secret = JWT_SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt().setExpirationTime("5m")
    .sign(new TextEncoder().encode(secret));
}

/** Status and body of a call to the data API. */
async function rest(path: string, headers: Record<string, string>, init: RequestInit = {}) {
  const response = await fetch(`${url}/rest/v1/${path}`, {
    ...init,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: await response.json() };
}

async function asMember(cid: string, claims: Record<string, unknown> = {}) {
  const bearer = await token({ role: "authenticated", sub: "someone", cid, ...claims });
  return { apikey: PUBLISHABLE, authorization: `Bearer ${bearer}` };
}

Deno.test("the data API returns the rows that row-level security allows the token", async () => {
  const ids = async (cid: string) => (await rest("notes?select=id", await asMember(cid))).body;
  assert.deepEqual(await ids("c1"), [{ id: 1 }]);
  assert.deepEqual(await ids("c2"), [{ id: 2 }]);
  assert.deepEqual(await ids("c3"), []);
});

Deno.test("the data API refuses a column that is not granted, and an update", async () => {
  assert.equal((await rest("notes?select=text", await asMember("c1"))).status, 403);
  const change = { method: "PATCH", body: JSON.stringify({ community_id: "c1" }) };
  assert.equal((await rest("notes?id=eq.2", await asMember("c1"), change)).status, 403);
});

Deno.test("the data API refuses a table without grants, on the first request and the second", async () => {
  for (let turn = 0; turn < 2; turn++) {
    assert.equal((await rest("open_door", await asMember("c1"))).status, 403);
    assert.equal((await rest("open_door", { apikey: PUBLISHABLE })).status, 401);
    assert.equal((await rest("open_door", { apikey: SECRET })).status, 403);
  }
  const granted = await database.connect("postgres")`
    select grantee from information_schema.role_table_grants
    where table_name = 'open_door' and grantee not in ('postgres')`;
  assert.deepEqual([...granted], []);
});

Deno.test("the secret key bypasses row-level security, but not grants", async () => {
  assert.deepEqual((await rest("notes?select=id&order=id", { apikey: SECRET })).body, [{ id: 1 }, { id: 2 }]);
  assert.equal((await rest("notes?id=eq.1", { apikey: SECRET }, { method: "DELETE" })).status, 403);
});

Deno.test("the data API answers 401 without a key, with a wrong key and with a forged token", async () => {
  assert.equal((await rest("notes", {})).status, 401);
  assert.equal((await rest("notes", { apikey: "sb_publishable_guess" })).status, 401);
  const forged = await token({ role: "authenticated", cid: "c1" }, "another secret of thirty-two characters");
  assert.equal((await rest("notes", { apikey: PUBLISHABLE, authorization: `Bearer ${forged}` })).status, 401);
});

Deno.test("the data API refuses a token whose role it may not switch to", async () => {
  for (const role of ["postgres", "supabase_admin", "pg_read_all_data"]) {
    const answer = await rest("notes?select=id", await asMember("c1", { role }));
    assert.equal(answer.status, 403, role);
  }
});

Deno.test("rpc: a function runs as the caller's role if that role may execute it", async () => {
  const call = { method: "POST", body: "{}" };
  assert.deepEqual(await rest("rpc/whoami", await asMember("c1"), call), {
    status: 200,
    body: "authenticated",
  });
  assert.equal((await rest("rpc/whoami", { apikey: PUBLISHABLE }, call)).status, 401);
});

Deno.test("the data API accepts a subject that is a UUID, like a Supabase user id", async () => {
  const headers = await asMember("c1", { sub: crypto.randomUUID() });
  assert.deepEqual((await rest("notes?select=id", headers)).body, [{ id: 1 }]);
});

Deno.test("the gateway answers 404 for every other path", async () => {
  for (const path of ["/", "/_system/info", "/auth/v1/token", "/rest/v2/notes", "/functions/v1"]) {
    const response = await fetch(url + path, { headers: { apikey: SECRET } });
    await response.body?.cancel();
    assert.equal(response.status, 404, path);
  }
});

interface StudioAnswer {
  status: number;
  framing?: string | string[];
  body: string;
}

/** A request as a browser with the studio's page sends it. Not every resolver knows its host name. */
function studio(
  path: string,
  headers: Record<string, string> = {},
): Promise<StudioAnswer> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, path, headers: { host: `studio.localhost:${port}`, ...headers } },
      async (response) =>
        resolve({
          status: response.statusCode ?? 0,
          framing: response.headers["x-frame-options"],
          body: await text(response),
        }),
    );
    request.on("error", reject).end();
  });
}

const SAME_ORIGIN = { "sec-fetch-site": "same-origin", "user-agent": "Mozilla/5.0" };

Deno.test("the studio's page and its script are served, and may not be framed", async () => {
  const page = await studio("/");
  const script = page.body.match(/src="(\/static\/[^"]+\.js)"/)?.[1] ?? "";
  assert.equal((await studio(script)).status, 200);
  assert.equal(page.framing, "DENY");
  for (const path of ["/static/assets/none.js", "/static/..%2findex.js", "/static/assets/none.sh"]) {
    assert.equal((await studio(path)).status, 404, path);
  }
});

Deno.test("the studio shows what the operator may read", async () => {
  const { status, body } = await studio("/rest/v1/notes?select=id&order=id", SAME_ORIGIN);
  assert.deepEqual([status, JSON.parse(body)], [200, [{ id: 1 }, { id: 2 }]]);
  assert.equal((await studio("/rest/v1/open_door", SAME_ORIGIN)).status, 403);
  const { tables } = JSON.parse((await studio("/_system/introspect", SAME_ORIGIN)).body);
  assert(tables.some(({ name }: { name: string }) => name === "notes"));
});

Deno.test("the studio answers 403 to other pages, and never returns the database's password", async () => {
  for (const path of ["/rest/v1/notes", "/_system/info", "/_system/introspect"]) {
    for (const site of ["cross-site", "same-site", "none"]) {
      assert.equal((await studio(path, { "sec-fetch-site": site })).status, 403, `${path} ${site}`);
    }
    assert.equal((await studio(path)).status, 403, path);
  }
  assert.deepEqual(JSON.parse((await studio("/_system/info", SAME_ORIGIN)).body), { admin: true });
  assert.equal((await studio("/_system/config", SAME_ORIGIN)).status, 404);
});

Deno.test("a function gets its own path and the body and headers as they were sent", async () => {
  const response = await fetch(`${url}/functions/v1/echo/deeper?a=%20b`, {
    method: "POST",
    body: '{ "spaced" :  1 }',
    headers: { "stripe-signature": "t=1,v1=abc" },
  });
  const seen = await response.json();
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("x-echo"), "yes");
  assert.equal(seen.method, "POST");
  assert.equal(seen.path, "/echo/deeper?a=%20b");
  assert.equal(seen.body, '{ "spaced" :  1 }');
  assert.equal(seen.signature, "t=1,v1=abc");
});

Deno.test("a function's environment has the platform's variables, the secrets and its own, and none of this machine", async () => {
  const { env } = await (await fetch(`${url}/functions/v1/echo`)).json();
  assert.equal(env.SUPABASE_URL, url);
  assert.equal(env.SUPABASE_DB_URL, database.url("billing_service"));
  assert.equal(env.ECHO_GREETING, "hello");
  assert.equal(JSON.parse(env.SUPABASE_SECRET_KEYS).default, SECRET);
  const foreign = Object.keys(env).filter((name) => /^(DUES_|PG|PWD|SHELL|BILLING)/.test(name));
  assert.deepEqual(foreign, []);
});

Deno.test("a function may connect only to hosts that its environment names", async () => {
  const seen = await (await fetch(`${url}/functions/v1/echo`)).json();
  assert.equal(seen.ownModule, true);
  for (const what of ["secrets", "write", "run", "elsewhere"]) assert.equal(seen[what], "NotCapable", what);
});

Deno.test("a function asks for a valid token unless its configuration says otherwise", async () => {
  const call = async (authorization?: string) => {
    const response = await fetch(`${url}/functions/v1/guarded`, {
      headers: authorization ? { authorization } : {},
    });
    return [response.status, response.headers.get("sb-error-code"), await response.text()];
  };
  const missing = await call();
  assert.deepEqual(missing.slice(0, 2), [401, "UNAUTHORIZED_NO_AUTH_HEADER"]);
  const forged = await token({ role: "authenticated" }, "another secret of thirty-two characters");
  assert.deepEqual((await call(`Bearer ${forged}`)).slice(0, 2), [401, "UNAUTHORIZED_JWT"]);
  assert.deepEqual((await call("Basic abc")).slice(0, 2), [401, "UNAUTHORIZED_JWT"]);
  assert.deepEqual(await call(`Bearer ${await token({ role: "authenticated" })}`), [200, null, "let in"]);
});

Deno.test("a function that is disabled, shared or unknown is 404", async () => {
  for (const name of ["off", "_shared", "nothing", ""]) {
    const response = await fetch(`${url}/functions/v1/${name}`);
    assert.deepEqual([response.status, (await response.json()).code], [404, "NOT_FOUND"], name);
  }
});
