import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { identityTokenVerifier } from "./identity_token.ts";
import { parentKeys } from "./parent_keys.ts";

const issuer = "https://app.example";
const audience = "https://billing.example";

async function keyPair(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk: JWK = { ...await exportJWK(publicKey), kid, alg: "ES256" };
  const sign = (claims: Record<string, unknown> = {}, header = {}) =>
    new SignJWT({ iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 3600, ...claims })
      .setProtectedHeader({ alg: "ES256", kid, ...header }).sign(privateKey);
  return { jwk, sign };
}

/** A parent app's JWKS with a clock of the test's own. */
function parentApp(keys: JWK[]) {
  let fetches = 0;
  let answer: () => Response | Promise<Response> = () => Response.json({ keys });
  let time = Date.now();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    fetches++;
    return answer();
  });
  const url = `http://127.0.0.1:${server.addr.port}/jwks.json`;
  const getKey = parentKeys({ url, issuer, audience, now: () => time });
  return {
    url,
    keys,
    /** Whether a key is found for the token. */
    async finds(token: string): Promise<boolean> {
      const [header, payload, signature] = token.split(".");
      const protectedHeader = JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/")));
      try {
        await getKey(protectedHeader, { protected: header, payload, signature });
        return true;
      } catch (error) {
        if ((error as { code?: string }).code === "ERR_JWKS_NO_MATCHING_KEY") return false;
        throw error;
      }
    },
    pass: (seconds: number) => time += seconds * 1000,
    answers: (by: typeof answer) => answer = by,
    get fetches() {
      return fetches;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("a new key works with its first token, and a removed one for a minute at most", async () => {
  const [old, fresh] = await Promise.all([keyPair("old"), keyPair("fresh")]);
  await using app = parentApp([old.jwk]);
  assert.ok(await app.finds(await old.sign()));
  app.pass(6);
  app.keys.push(fresh.jwk);
  assert.ok(await app.finds(await fresh.sign()), "at once");
  app.keys.shift();
  app.pass(60);
  assert.equal(await app.finds(await old.sign()), false);
  assert.ok(await app.finds(await fresh.sign()));
});

Deno.test("known keys are fetched beside the requests every half minute, and once for all who wait", async () => {
  const pair = await keyPair("k");
  await using app = parentApp([pair.jwk]);
  const token = await pair.sign();
  await Promise.all(Array.from({ length: 20 }, () => app.finds(token)));
  assert.equal(app.fetches, 1);
  app.pass(29);
  await app.finds(token);
  assert.equal(app.fetches, 1);
  app.pass(2);
  await Promise.all(Array.from({ length: 20 }, () => app.finds(token)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(app.fetches, 2);
});

Deno.test("junk causes no fetch: tokens for others, expired ones, and those of keys that were just asked for", async () => {
  const [known, stranger] = await Promise.all([keyPair("known"), keyPair("stranger")]);
  await using app = parentApp([known.jwk]);
  await app.finds(await known.sign());
  app.pass(10);
  const junk = await Promise.all([
    stranger.sign({ iss: "https://evil.example" }),
    stranger.sign({ aud: "https://evil.example" }),
    stranger.sign({ exp: 1000 }),
    stranger.sign({}, { kid: "x".repeat(500) }),
  ]);
  for (const token of junk) assert.equal(await app.finds(token), false);
  assert.equal(app.fetches, 1);
  for (let i = 0; i < 100; i++) assert.equal(await app.finds(await stranger.sign()), false);
  assert.equal(app.fetches, 2);
});

Deno.test("a flood of tokens with keys of ever other names causes one fetch in five seconds, and most do not wait for it", async () => {
  const [known, stranger] = await Promise.all([keyPair("known"), keyPair("stranger")]);
  await using app = parentApp([known.jwk]);
  await app.finds(await known.sign());
  app.pass(10);
  const flood = Array.from(
    { length: 500 },
    async (_, i) => app.finds(await stranger.sign({}, { kid: `random-${i}` })),
  );
  assert.ok((await Promise.all(flood)).every((found) => !found));
  assert.ok(app.fetches <= 3, `${app.fetches} fetches`);
  assert.ok(await app.finds(await known.sign()), "known keys go on");
});

Deno.test("a parent app that hangs, fails or answers nonsense is asked once, and old keys work no longer than a minute", async () => {
  const pair = await keyPair("k");
  const token = await pair.sign();
  const nonsense: (() => Response)[] = [
    () => new Response("down", { status: 502 }),
    () => new Response("no json"),
    () => Response.json({ keys: "none" }),
    () => Response.json({ keys: Array(101).fill(pair.jwk) }),
    () => new Response(" ".repeat(300_000)),
    () => Response.redirect("http://127.0.0.1:1/"),
  ];
  for (const answer of nonsense) {
    await using app = parentApp([pair.jwk]);
    assert.ok(await app.finds(token));
    app.answers(answer);
    app.pass(40);
    assert.ok(await app.finds(token));
    await new Promise((resolve) => setTimeout(resolve, 30));
    app.pass(30);
    const before = app.fetches;
    await assert.rejects(app.finds(token), { name: "KeysUnavailableError" });
    await assert.rejects(app.finds(token), { name: "KeysUnavailableError" });
    assert.ok(app.fetches <= before + 1);
    app.answers(() => Response.json({ keys: [pair.jwk] }));
    app.pass(10);
    assert.ok(await app.finds(token));
  }
});

Deno.test("a parent app that does not answer is given up after four seconds, with parent_unavailable for all who wait", async () => {
  const pair = await keyPair("k");
  const held = Promise.withResolvers<Response>();
  await using app = parentApp([pair.jwk]);
  app.answers(() => held.promise);
  const verify = identityTokenVerifier({ key: { jwksUrl: app.url }, issuer, audience });
  const token = await pair.sign({ iat: Math.floor(Date.now() / 1000) });
  const began = performance.now();
  await Promise.all(
    Array.from({ length: 10 }, () => assert.rejects(verify(token), { code: "parent_unavailable" })),
  );
  assert.ok(performance.now() - began < 6_000);
  assert.equal(app.fetches, 1);
  held.resolve(new Response());
});
