import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { ConfigError, readServerConfig, readWebhookConfig, variableNames } from "./config.ts";

const complete = {
  STRIPE_SECRET_KEY: "sk_test_abc",
  STRIPE_PUBLISHABLE_KEY: "pk_test_abc",
  STRIPE_WEBHOOK_SECRET: "whsec_new, whsec_old",
  PARENT_APP_URL: "https://app.example/",
  PLUGIN_URL: "https://billing.example",
  PARENT_APP_JWT_SECRET: "p".repeat(32),
  SUPABASE_DB_URL: "postgresql://billing_service:secret@db.example:5432/postgres?sslmode=verify-full",
  SESSION_SECRET: "s".repeat(32),
};

const faultsOf = (env: Record<string, string | undefined>): string[] => {
  try {
    readServerConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
};

Deno.test("readServerConfig returns typed values of a complete environment", () => {
  const config = readServerConfig(complete);
  assert.equal(config.parentAppUrl, "https://app.example");
  assert.deepEqual(config.webhookSecrets, ["whsec_new", "whsec_old"]);
  assert.deepEqual(config.identity, { provider: "token", key: { secret: "p".repeat(32) } });
  assert.equal(config.stripe.apiBase, undefined);
});

Deno.test("readServerConfig names every missing variable of an empty environment", () => {
  const faults = faultsOf({}).join("\n");
  const optional = [
    "BILLING_DB_URL",
    "STRIPE_API_BASE",
    "STRIPE_JS_URL",
    "CHECKOUT_UI_MODE",
    "DUES_EXAMPLES",
    "STRIPE_PORTAL_CONFIGURATION_ID",
    "CRON_SECRET",
    "HOST",
    "PORT",
    "TRUSTED_PROXIES",
    "OPERATOR_DB_URL",
    "SUPABASE_URL",
  ];
  for (
    const name of variableNames.filter((name) => !optional.includes(name) && !/JW|^COMMON_GROUND/.test(name))
  ) {
    assert.match(faults, new RegExp(`^${name} is missing: it should be `, "m"));
  }
  assert.match(
    faults,
    /^PARENT_APP_JWT_SECRET or PARENT_APP_JWKS_URL or COMMON_GROUND_PRIVATE_KEY: exactly one of them should be set$/m,
  );
});

Deno.test("readServerConfig names each wrong variable with its expected form", () => {
  const wrong: [string, string][] = [
    ["STRIPE_SECRET_KEY", "pk_test_abc"],
    ["STRIPE_WEBHOOK_SECRET", "hunter2"],
    ["STRIPE_API_BASE", "127.0.0.1:4103"],
    ["STRIPE_JS_URL", "stripe.js"],
    ["CHECKOUT_UI_MODE", "framed"],
    ["PARENT_APP_URL", "https://app.example/c/1"],
    ["PLUGIN_URL", "billing.example"],
    ["PARENT_APP_JWT_SECRET", "hunter2"],
    ["SUPABASE_DB_URL", "https://db.example"],
    ["SESSION_SECRET", "hunter2"],
    ["SUPABASE_JWT_SECRET", "hunter2"],
  ];
  for (const [name, value] of wrong) {
    const faults = faultsOf({ ...complete, [name]: value });
    assert.equal(faults.length, 1, `${name}: ${faults}`);
    assert.match(faults[0], new RegExp(`^${name} should be `));
    assert.doesNotMatch(faults[0], /hunter2/, "a fault never repeats a secret");
  }
});

Deno.test("SUPABASE_JWT_SIGNING_KEY must be a private ES256 key with a kid", () => {
  assert.match(
    faultsOf({ ...complete, SUPABASE_JWT_SIGNING_KEY: "{" })[0],
    /^SUPABASE_JWT_SIGNING_KEY should be a private/,
  );
});

Deno.test("session tokens are signed with SESSION_SECRET, or with a key that Supabase trusts when one is set", () => {
  const key = { kty: "EC", crv: "P-256", kid: "k1", x: "x", y: "y", d: "d" };
  const signing = { SUPABASE_JWT_SIGNING_KEY: JSON.stringify(key) };
  const secret = { SUPABASE_JWT_SECRET: "j".repeat(32) };
  const keyOf = (more: Record<string, string>) => readServerConfig({ ...complete, ...more }).sessionKey;
  assert.deepEqual(keyOf({}), { secret: "s".repeat(32) });
  assert.deepEqual(keyOf({ SUPABASE_JWT_SECRET: "", SUPABASE_JWT_SIGNING_KEY: "" }), {
    secret: "s".repeat(32),
  });
  assert.deepEqual(keyOf(secret), { secret: "j".repeat(32) });
  assert.deepEqual(keyOf(signing), { signingKey: key });
  assert.deepEqual(faultsOf({ ...complete, ...secret, ...signing }), [
    "SUPABASE_JWT_SECRET and SUPABASE_JWT_SIGNING_KEY: at most one of them should be set",
  ]);
});

Deno.test("readServerConfig takes Common Ground's two keys in place of PARENT_APP_JWT_SECRET", () => {
  const { PARENT_APP_JWT_SECRET: _, ...rest } = complete;
  const pem = { type: "pkcs8", format: "pem" } as const;
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: pem,
    publicKeyEncoding: { ...pem, type: "spki" },
  });
  const keys = { COMMON_GROUND_PRIVATE_KEY: privateKey, COMMON_GROUND_PUBLIC_KEY: publicKey };
  const inOneLine = keys.COMMON_GROUND_PRIVATE_KEY.replaceAll("\n", "\\n");

  const identity = readServerConfig({ ...rest, ...keys, COMMON_GROUND_PRIVATE_KEY: inOneLine }).identity;
  assert.deepEqual(identity, { provider: "common_ground", privateKey, publicKey, adminRoles: ["Admin"] });
  const roles = readServerConfig({ ...rest, ...keys, COMMON_GROUND_ADMIN_ROLES: " Admin, 4f1c ,," }).identity;
  assert.deepEqual("adminRoles" in roles && roles.adminRoles, ["Admin", "4f1c"]);

  const faults = (more: Record<string, string>) => faultsOf({ ...rest, ...keys, ...more });
  assert.deepEqual(faults({ PARENT_APP_JWT_SECRET: "p".repeat(32) }), [
    "PARENT_APP_JWT_SECRET or PARENT_APP_JWKS_URL or COMMON_GROUND_PRIVATE_KEY: exactly one of them should be set",
  ]);
  assert.deepEqual(faults({ COMMON_GROUND_PUBLIC_KEY: "" }), [
    "COMMON_GROUND_PRIVATE_KEY and COMMON_GROUND_PUBLIC_KEY: both should be set, or neither",
  ]);
  for (const wrong of ["hunter2", publicKey, privateKey.slice(0, -60)]) {
    const [fault, ...more] = faults({ COMMON_GROUND_PRIVATE_KEY: wrong });
    assert.match(fault, /^COMMON_GROUND_PRIVATE_KEY should be the private key that Common Ground showed/);
    assert.ok(!fault.includes("hunter2") && more.length === 0);
  }
  assert.match(faults({ COMMON_GROUND_PUBLIC_KEY: privateKey })[0], /^COMMON_GROUND_PUBLIC_KEY should be/);
  assert.match(faults({ COMMON_GROUND_ADMIN_ROLES: " , " })[0], /^COMMON_GROUND_ADMIN_ROLES should be/);
});

Deno.test("readServerConfig takes an empty optional variable as not set", () => {
  assert.deepEqual(faultsOf({ ...complete, STRIPE_API_BASE: "", PARENT_APP_JWKS_URL: "" }), []);
});

Deno.test("readWebhookConfig needs only the webhook's variables and prefers BILLING_DB_URL", () => {
  const config = readWebhookConfig({
    STRIPE_SECRET_KEY: "rk_live_abc",
    STRIPE_WEBHOOK_SECRET: "whsec_a",
    SUPABASE_DB_URL: "postgresql://postgres:secret@db.example:5432/postgres?sslmode=verify-full",
    BILLING_DB_URL:
      "postgresql://billing_service.ref:secret@pooler.example:6543/postgres?sslmode=verify-full",
  });
  assert.match(config.databaseUrl, /pooler/);
});

Deno.test(".env.example has every variable and no other", async () => {
  const text = await Deno.readTextFile(new URL("../.env.example", import.meta.url));
  const names = [...text.matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map((match) => match[1]);
  assert.deepEqual(names.sort(), [...variableNames].sort());
});
