// Runs the code of the README for the parent app's team, as people copy it.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { identityTokenVerifier } from "../../billing/identity/identity_token.ts";
import { bundleModule, bundleScript } from "../../packages/parent/bundle.ts";

const ORIGIN = "https://app.example";
const SECRET = "a secret that both the parent app and Dues know";
const readme = await Deno.readTextFile(
  fileURLToPath(new URL("../../packages/parent/README.md", import.meta.url)),
);
const verify = identityTokenVerifier({
  key: { secret: SECRET },
  issuer: ORIGIN,
  audience: "https://dues.example",
});

const community = { id: "garden", title: "Garten Süd 🌱", memberIds: ["ada", "ben"], adminIds: ["ada"] };

Deno.test.beforeAll(() => Deno.env.set("PARENT_APP_JWT_SECRET", SECRET));
Deno.test.afterAll(() => Deno.env.delete("PARENT_APP_JWT_SECRET"));

/** The code block under this heading of the README, as a module. */
async function moduleUnder(heading: string, extension: string) {
  const code = readme.split(`### ${heading}\n`)[1]?.match(/```\w+\n([\s\S]*?)```/)?.[1];
  assert.ok(code, `no code under ${heading}`);
  const folder = await Deno.makeTempDir({ prefix: "dues-readme-" });
  const path = join(folder, `example.${extension}`);
  // The tests run on the packages that the project has pinned.
  await Deno.writeTextFile(path, code.replace('"npm:jose@6"', JSON.stringify(import.meta.resolve("jose"))));
  try {
    return await import(pathToFileURL(path).href);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Ask = (
  asked: { userId?: string; method?: string; origin?: string },
) => Promise<{ status: number; identityToken?: string }>;

async function assertTokenEndpoint(ask: Ask): Promise<void> {
  const admin = await verify((await ask({ userId: "ada" })).identityToken!);
  assert.deepEqual([admin.sub, admin.cid, admin.adm, admin.title], [
    "ada",
    "garden",
    true,
    community.title,
  ]);
  const member = await verify((await ask({ userId: "ben" })).identityToken!);
  assert.deepEqual([member.sub, member.adm], ["ben", false]);
  assert.notEqual(admin.jti, member.jti);
  assert.equal((await ask({})).status, 401);
  assert.equal((await ask({ userId: "eve" })).status, 403);
  assert.equal((await ask({ userId: "ada", origin: "https://evil.test" })).status, 403);
  assert.equal((await ask({ userId: "ada", method: "GET" })).status, 405);
}

Deno.test("the README's token endpoint for Deno gives valid identity tokens, to members only", async () => {
  const { answerTokenRequest } = await moduleUnder("In Deno", "ts");
  await assertTokenEndpoint(async ({ userId, method = "POST", origin = ORIGIN }) => {
    const request = new Request("http://localhost/", { method, headers: { origin } });
    const response: Response = await answerTokenRequest(request, userId ? { userId } : null, community);
    return { status: response.status, ...(response.ok ? await response.json() : {}) };
  });
});

Deno.test("the README's token endpoint for Node gives valid identity tokens, to members only", async () => {
  const { answerTokenRequest } = await moduleUnder("In Node", "mjs");
  let userId: string | undefined;
  const server = createServer((request, response) =>
    answerTokenRequest(request, response, userId ? { userId } : null, community)
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await assertTokenEndpoint(async (asked) => {
      userId = asked.userId;
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: asked.method ?? "POST",
        headers: { origin: asked.origin ?? ORIGIN },
      });
      const text = await response.text();
      return { status: response.status, ...(response.ok ? JSON.parse(text) : {}) };
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("a token made by the README's three steps is valid", async () => {
  const base64url = (bytes: string | Uint8Array) => Buffer.from(bytes as string).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ORIGIN,
    aud: "https://dues.example",
    sub: "ada",
    cid: "garden",
    title: community.title,
    adm: true,
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
  };
  const content = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  const signature = createHmac("sha256", SECRET).update(content).digest();
  assert.equal((await verify(`${content}.${base64url(signature)}`)).title, community.title);
});

Deno.test("the parent script is not larger than the README says", async () => {
  const promised = Number(readme.match(/\((\d+) kB gzipped\)/)?.[1]) * 1000;
  for (const text of [await bundleScript(), await bundleModule()]) {
    assert.ok(gzipSync(text).length <= promised, `${gzipSync(text).length} bytes`);
  }
});
