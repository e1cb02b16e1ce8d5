import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { communityIdSchema, pluginIdSchema, slugSchema } from "../ids.ts";
import type { SessionKey } from "./session_key.ts";
import { sessionTokens } from "./session_token.ts";

const issuer = "https://billing.example";
const secret = "the secret that Supabase verifies tokens with";
const session = {
  userId: "user-1",
  communityId: communityIdSchema.parse("garden"),
  isAdmin: true,
  pluginId: pluginIdSchema.parse("p1"),
};

async function signingKey(): Promise<SessionKey> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { signingKey: { ...await exportJWK(privateKey), kid: "k1" } as never };
}

Deno.test("verify() returns the session that sign() was given, with a secret and with a key pair", async () => {
  for (const key of [{ secret }, await signingKey()]) {
    const tokens = await sessionTokens({ key, issuer });
    const { token, expiresAt } = await tokens.sign(session);
    const { openedAt, ...verified } = await tokens.verify(token);
    assert.deepEqual(verified, session);
    assert.ok(Math.abs(openedAt - Date.now() / 1000) < 5);
    assert.ok(expiresAt.getTime() > Date.now());
    const anywhere = await tokens.sign({ ...session, pluginId: null });
    assert.equal((await tokens.verify(anywhere.token)).pluginId, null);
    const named = { ...session, slug: slugSchema.parse("riverside") };
    assert.equal((await tokens.verify((await tokens.sign(named)).token)).slug, "riverside");
  }
});

Deno.test("a session token has the claims that row-level security reads", async () => {
  const { token } = await (await sessionTokens({ key: { secret }, issuer })).sign(session);
  const payload = JSON.parse(atob(token.split(".")[1]));
  assert.deepEqual([payload.role, payload.cid, payload.adm, payload.sub], [
    "authenticated",
    "garden",
    true,
    "user-1",
  ]);
});

Deno.test("verify() refuses forged, foreign and expired session tokens", async () => {
  const tokens = await sessionTokens({ key: { secret }, issuer });
  const sign = (claims: Record<string, unknown>, key = secret) =>
    new SignJWT({
      iss: issuer,
      aud: "authenticated",
      role: "authenticated",
      sub: "user-1",
      cid: "garden",
      adm: true,
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    }).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(key));

  await tokens.verify(await sign({}));
  const rows: [Promise<string>, string][] = [
    [sign({}, "some other secret of more than 32 characters"), "invalid_token"],
    [sign({ iss: "https://other.example" }), "invalid_token"],
    [sign({ aud: "https://other.example" }), "invalid_token"],
    [sign({ role: "service_role" }), "invalid_token"],
    [sign({ adm: "yes" }), "invalid_token"],
    [sign({ cid: undefined }), "invalid_token"],
    [sign({ exp: undefined }), "invalid_token"],
    [sign({ exp: 1000 }), "expired_token"],
    [Promise.resolve("not a token"), "invalid_token"],
  ];
  for (const [token, code] of rows) await assert.rejects(tokens.verify(await token), { code });
});
