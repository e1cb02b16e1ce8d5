import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import type { BillingErrorCode } from "../errors.ts";
import { identityTokenVerifier } from "./identity_token.ts";

const secret = "a secret that both the parent app and Dues know";
const issuer = "https://app.example";
const audience = "https://billing.example";
const now = () => Math.floor(Date.now() / 1000);

const claims = () => ({
  iss: issuer,
  aud: audience,
  sub: "user-1",
  cid: "garden",
  adm: true,
  title: "The Garden",
  jti: crypto.randomUUID(),
  iat: now(),
  exp: now() + 60,
});

const sign = (payload: Record<string, unknown>, key = secret, alg = "HS256") =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));

const verify = identityTokenVerifier({ key: { secret }, issuer, audience });
const refuses = (token: string, code: BillingErrorCode) => assert.rejects(verify(token), { code });

Deno.test("verifyIdentityToken() returns the identity of a valid token", async () => {
  const identity = await verify(await sign({ ...claims(), pluginId: "p1" }));
  assert.deepEqual([identity.sub, identity.cid, identity.adm, identity.title, identity.pluginId], [
    "user-1",
    "garden",
    true,
    "The Garden",
    "p1",
  ]);
});

Deno.test("verifyIdentityToken() refuses tokens with another signature or none", async () => {
  await refuses(await sign(claims(), "another secret of more than 32 characters"), "invalid_identity_token");
  await refuses(await sign(claims(), secret, "HS512"), "invalid_identity_token");
  await refuses(new UnsecuredJWT(claims()).encode(), "invalid_identity_token");
  for (const token of ["", "x", "a.b.c", "..", "💥"]) await refuses(token, "invalid_identity_token");
});

Deno.test("verifyIdentityToken() refuses another issuer and another audience", async () => {
  await refuses(await sign({ ...claims(), iss: "https://evil.example" }), "invalid_identity_token");
  await refuses(await sign({ ...claims(), aud: "https://other.example" }), "invalid_identity_token");
});

Deno.test("verifyIdentityToken() refuses expired tokens, and lifetimes above five minutes", async () => {
  await refuses(await sign({ ...claims(), iat: now() - 100, exp: now() - 40 }), "expired_identity_token");
  await refuses(await sign({ ...claims(), exp: now() + 301 }), "invalid_identity_token");
  await refuses(await sign({ ...claims(), iat: now() - 400, exp: now() + 60 }), "expired_identity_token");
});

Deno.test("verifyIdentityToken() accepts a parent's clock that is up to 60 seconds ahead, and names it beyond that", async () => {
  const ahead = (seconds: number, more = {}) =>
    sign({ ...claims(), iat: now() + seconds, exp: now() + seconds + 300, ...more });
  for (const seconds of [1, 30, 59]) {
    await verify(await ahead(seconds));
    await verify(await ahead(seconds, { nbf: now() + seconds }));
  }
  for (const token of [await ahead(65), await ahead(86_400), await ahead(0, { nbf: now() + 65 })]) {
    await assert.rejects(verify(token), {
      code: "parent_clock_ahead",
      detail: /clock is more than 60 seconds ahead/,
    });
  }
  // The same tolerance does not let an expired token in.
  await refuses(await sign({ ...claims(), iat: now() - 60, exp: now() - 15 }), "expired_identity_token");
  await refuses(await sign({ ...claims(), iat: now() - 315, exp: now() + 5 }), "expired_identity_token");
  await verify(await sign({ ...claims(), iat: now() - 60, exp: now() - 5 }));
});

Deno.test("verifyIdentityToken() shortens or replaces a title, and refuses other text that cannot be stored", async () => {
  for (
    const [title, expected] of [["", "garden"], [7, "garden"], ["x".repeat(201), "x".repeat(199) + "…"], [
      "a\0b",
      "a b",
    ]]
  ) {
    assert.equal((await verify(await sign({ ...claims(), title }))).title, expected);
  }
  const { title: _, ...untitled } = claims();
  assert.equal((await verify(await sign(untitled))).title, "garden");
  for (const name of ["sub", "cid", "jti", "pluginId", "other"]) {
    await refuses(await sign({ ...claims(), [name]: "12345678\0" }), "invalid_text");
    await refuses(await sign({ ...claims(), [name]: "12345678\ud800" }), "invalid_text");
  }
});

Deno.test("verifyIdentityToken() refuses a token with a missing or wrong claim", async () => {
  for (const name of ["sub", "cid", "adm", "jti", "iat", "exp", "iss", "aud"]) {
    const { [name]: _, ...rest } = claims() as Record<string, unknown>;
    await refuses(await sign(rest), "invalid_identity_token");
  }
  for (
    const wrong of [{ adm: "true" }, { adm: 1 }, { cid: ".." }, { cid: 7 }, { jti: "short" }, {
      pluginId: "",
    }]
  ) {
    await refuses(await sign({ ...claims(), ...wrong }), "invalid_identity_token");
  }
});

Deno.test("verifyIdentityToken() with a JWKS accepts only tokens signed with its private keys", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "ES256" };
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => Response.json({ keys: [jwk] }),
  );
  const jwksUrl = `http://127.0.0.1:${server.addr.port}/jwks.json`;
  const verifyByKey = identityTokenVerifier({ key: { jwksUrl }, issuer, audience });

  const signed = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
  assert.equal((await verifyByKey(signed)).cid, "garden");
  // Algorithm confusion: the public key used as a shared secret (RFC 8725, 2.1).
  const forged = await sign(claims(), JSON.stringify(jwk));
  await assert.rejects(verifyByKey(forged), { code: "invalid_identity_token" });
  const stranger = await generateKeyPair("ES256");
  const foreign = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(
    stranger.privateKey,
  );
  await assert.rejects(verifyByKey(foreign), { code: "invalid_identity_token" });
});

Deno.test("verifyIdentityToken() throws parent_unavailable when the JWKS cannot be fetched", async () => {
  const { privateKey } = await generateKeyPair("ES256");
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("down", { status: 502 }),
  );
  for (const jwksUrl of [`http://127.0.0.1:${server.addr.port}/jwks.json`, "http://127.0.0.1:1/jwks.json"]) {
    const verifyByKey = identityTokenVerifier({ key: { jwksUrl }, issuer, audience });
    await assert.rejects(verifyByKey(token), { code: "parent_unavailable" });
  }
});
