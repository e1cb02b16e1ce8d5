import assert from "node:assert/strict";
import { type Reader, unsafeSettings } from "./config_safety.ts";

/** A deployment as .env.example describes it. */
const safe = {
  STRIPE_SECRET_KEY: "rk_live_abc",
  STRIPE_PUBLISHABLE_KEY: "pk_live_abc",
  STRIPE_WEBHOOK_SECRET: "whsec_new,whsec_old",
  STRIPE_API_BASE: "",
  STRIPE_JS_URL: "",
  PARENT_APP_URL: "https://app.example",
  PLUGIN_URL: "https://billing.example",
  PARENT_APP_JWKS_URL: "https://app.example/.well-known/jwks.json",
  SUPABASE_URL: "https://project.supabase.co",
  SUPABASE_DB_URL:
    "postgresql://billing_service:x@db.example:5432/postgres?sslmode=verify-full&sslrootcert=./a.crt",
  OPERATOR_DB_URL: "postgresql://postgres:x@db.example:5432/postgres?sslmode=verify-full",
  CRON_SECRET: "c".repeat(32),
};
const test = { STRIPE_SECRET_KEY: "sk_test_abc", STRIPE_PUBLISHABLE_KEY: "pk_test_abc" };

Deno.test("unsafeSettings() finds nothing in a deployment over https and TLS, nor in one on this machine", () => {
  for (const reader of ["server", "function", "operator"] as Reader[]) {
    assert.deepEqual(unsafeSettings(safe, reader), []);
  }
  for (const host of ["127.0.0.1", "localhost", "[::1]", "dues.localhost", "127.9.9.9"]) {
    const local = {
      ...test,
      STRIPE_API_BASE: `http://${host}:4103`,
      STRIPE_JS_URL: `http://${host}:4103/stripe.js`,
      PARENT_APP_URL: `http://${host}:4100`,
      PLUGIN_URL: `http://${host}:4101`,
      PARENT_APP_JWKS_URL: `http://${host}:4100/jwks`,
      SUPABASE_URL: `http://${host}:4102`,
      SUPABASE_DB_URL: `postgresql://billing_service:x@${host}:5432/postgres`,
    };
    assert.deepEqual(unsafeSettings(local, "server"), [], host);
  }
  assert.deepEqual(
    unsafeSettings({ SUPABASE_DB_URL: "postgresql:///postgres?host=/run/postgresql" }, "server"),
    [],
  );
});

Deno.test("unsafeSettings() has a sentence for each unsafe setting, and no other for it", () => {
  const tls = /^SUPABASE_DB_URL should have sslmode=verify-full/;
  const database = (query: string, host = "db.example") => ({
    SUPABASE_DB_URL: `postgresql://billing_service:x@${host}:5432/postgres${query}`,
  });
  const rows: [Record<string, string>, RegExp][] = [
    [{ PARENT_APP_URL: "http://app.example" }, /^PARENT_APP_URL should begin with https/],
    [{ PLUGIN_URL: "http://billing.example" }, /^PLUGIN_URL should begin with https/],
    [{ PARENT_APP_JWKS_URL: "http://app.example/jwks" }, /^PARENT_APP_JWKS_URL should begin with https/],
    [{ PARENT_APP_JWKS_URL: "http://localhost.evil.example/jwks" }, /^PARENT_APP_JWKS_URL should begin/],
    [{ PARENT_APP_JWKS_URL: "http://127.0.0.1.evil.example/jwks" }, /^PARENT_APP_JWKS_URL should begin/],
    [{ SUPABASE_URL: "http://10.0.0.5:8000" }, /^SUPABASE_URL should begin with https/],
    [{ ...test, STRIPE_API_BASE: "http://stripe.internal" }, /^STRIPE_API_BASE should begin with https/],
    [{ ...test, STRIPE_JS_URL: "http://cdn.example/stripe.js" }, /^STRIPE_JS_URL should begin with https/],
    [{ STRIPE_API_BASE: "http://127.0.0.1:4103" }, /^STRIPE_API_BASE should be empty with live keys/],
    [{ STRIPE_API_BASE: "https://simulator.example" }, /^STRIPE_API_BASE should be empty with live keys/],
    [{ STRIPE_JS_URL: "https://cdn.example/stripe.js" }, /^STRIPE_JS_URL should be empty with live keys/],
    [
      { STRIPE_JS_URL: "https://js.stripe.com.evil.example/" },
      /^STRIPE_JS_URL should be empty with live keys/,
    ],
    [{ STRIPE_SECRET_KEY: "sk_test_abc" }, /^STRIPE_PUBLISHABLE_KEY should be of the same mode/],
    [{ STRIPE_PUBLISHABLE_KEY: "pk_test_abc" }, /^STRIPE_PUBLISHABLE_KEY should be of the same mode/],
    [{ PARENT_APP_URL: "https://*.example" }, /^PARENT_APP_URL should be one origin/],
    [{ PLUGIN_URL: "https://*" }, /^PLUGIN_URL should be one origin/],
    [database(""), tls],
    [database("?sslmode=no-verify"), tls],
    [database("?sslmode=require"), tls],
    [database("?sslmode=disable"), tls],
    [database("?sslmode=verify-full&sslmode=no-verify"), tls],
    [database("?sslmode=verify-full&uselibpqcompat=true"), tls],
    [database("?sslmode=verify-full&ssl=false"), tls],
    [database("", "10.0.0.5"), tls],
    [database("?host=db.example", "127.0.0.1"), tls],
    [
      { CRON_SECRET: "p".repeat(32), PARENT_APP_JWT_SECRET: "p".repeat(32) },
      /^CRON_SECRET should not be equal to PARENT_/,
    ],
    [{ CRON_SECRET: "rk_live_abc" }, /^CRON_SECRET should not be equal to STRIPE_SECRET_KEY/],
    [{ CRON_SECRET: "whsec_old" }, /^CRON_SECRET should not be equal to STRIPE_WEBHOOK_SECRET/],
    [
      { SESSION_SECRET: "s".repeat(32), PARENT_APP_JWT_SECRET: "s".repeat(32) },
      /^PARENT_APP_JWT_SECRET should not/,
    ],
  ];
  for (const [settings, sentence] of rows) {
    const faults = unsafeSettings({ ...safe, ...settings }, "server");
    assert.equal(faults.length, 1, `${JSON.stringify(settings)}: ${faults}`);
    assert.match(faults[0], sentence);
    assert.doesNotMatch(faults[0], /rk_live_abc|whsec_old|p{32}|:x@/, "no secret is shown");
  }
});

Deno.test("unsafeSettings() leaves the database that the platform gives a function, and checks what its operator sets", () => {
  const platform = "postgresql://postgres:x@db.internal:5432/postgres";
  assert.deepEqual(unsafeSettings({ SUPABASE_DB_URL: platform }, "function"), []);
  assert.equal(unsafeSettings({ BILLING_DB_URL: platform }, "function").length, 1);
  assert.equal(unsafeSettings({ OPERATOR_DB_URL: platform }, "operator").length, 1);
});
