import assert from "node:assert/strict";
import { jwtVerify } from "jose";
import { createParentApp } from "./demo_parent.ts";

const PARENT = "http://localhost:4100";
const PLUGIN = "http://127.0.0.1:4101";
const SECRET = "a-secret-that-is-long-enough-for-hs256";

const app = createParentApp({
  parentUrl: PARENT,
  pluginUrl: PLUGIN,
  jwtSecret: SECRET,
  extraOpenOrigins: [],
});

function get(path: string, cookie = ""): Promise<Response> {
  return app(new Request(PARENT + path, { headers: { cookie } }));
}

function post(path: string, { cookie = "", origin = PARENT, form = {} } = {}): Promise<Response> {
  const body = new URLSearchParams(form);
  return app(new Request(PARENT + path, { method: "POST", headers: { cookie, origin }, body }));
}

async function signIn(personId: string): Promise<string> {
  const response = await post("/sign-in", { form: { personId, returnTo: "/c/chess/" } });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/c/chess/");
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

async function claimsFor(personId: string, path: string) {
  const response = await post(path, { cookie: await signIn(personId) });
  assert.equal(response.status, 200);
  const { identityToken } = await response.json();
  const { payload } = await jwtVerify(identityToken, new TextEncoder().encode(SECRET), {
    issuer: PARENT,
    audience: PLUGIN,
    algorithms: ["HS256"],
  });
  return payload;
}

Deno.test("an admin's identity token names the person, the community and the admin right", async () => {
  const { jti, iat = 0, exp = 0, ...claims } = await claimsFor("ada", "/c/garden/dues-token");
  assert.deepEqual(claims, {
    iss: PARENT,
    aud: PLUGIN,
    sub: "ada",
    cid: "garden",
    title: "Riverside Garden",
    adm: true,
  });
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.ok(exp - iat > 0 && exp - iat <= 300);
});

Deno.test("a member's identity token denies the admin right, whatever the query says", async () => {
  const claims = await claimsFor("ben", "/c/chess/plugin/club%20desk/dues-token?adm=true&sub=ada&cid=garden");
  assert.equal(claims.adm, false);
  assert.equal(claims.sub, "ben");
  assert.equal(claims.cid, "chess");
  assert.equal(claims.pluginId, "club desk");
});

Deno.test("no two identity tokens have the same jti", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => claimsFor("ada", "/c/garden/dues-token")));
  assert.notEqual(one.jti, other.jti);
});

Deno.test("no identity token without a session, with a made-up session, from another site or by GET", async () => {
  const path = "/c/garden/dues-token";
  assert.equal((await post(path)).status, 401);
  assert.equal((await post(path, { cookie: "parent_session=ada" })).status, 401);
  assert.equal((await post(path, { cookie: await signIn("ada"), origin: "https://evil.test" })).status, 403);
  assert.equal((await get(path, await signIn("ada"))).status, 404);
});

Deno.test("a community page shows the plugin when somebody is signed in, and a choice of people otherwise", async () => {
  const signedOut = await (await get("/c/garden/")).text();
  assert.match(signedOut, /Continue as Ada Moreno \(admin\)/);
  assert.doesNotMatch(signedOut, /<iframe/);
  const signedIn = await (await get("/c/garden/plugin/a%22b/", await signIn("ben"))).text();
  assert.match(signedIn, /<iframe/);
  assert.match(signedIn, /data-dues-plugin-id="a&#34;b"/);
  assert.match(signedIn, /data-dues-token-url="\/c\/garden\/plugin\/a%22b\/dues-token"/);
});

Deno.test("signing in never leads to another site and knows only its own people", async () => {
  for (const returnTo of ["https://evil.test/c/garden/", "//evil.test/", "/\\evil.test/", ""]) {
    const response = await post("/sign-in", { form: { personId: "ada", returnTo } });
    assert.equal(response.headers.get("location"), "/", returnTo);
  }
  assert.equal((await post("/sign-in", { form: { personId: "mallory" } })).status, 422);
});

Deno.test("unknown communities and paths are not found", async () => {
  for (
    const path of ["/c/nowhere/", "/c/garden/else", "/x", "/c/garden/plugin//", "/c/garden/plugin/%E0%A4%A/"]
  ) {
    assert.equal((await get(path)).status, 404, path);
  }
});

Deno.test("a request under another host name is redirected to the app's own origin", async () => {
  const response = await app(new Request("http://127.0.0.1:4100/c/chess/"));
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("location"), `${PARENT}/c/chess/`);
});
