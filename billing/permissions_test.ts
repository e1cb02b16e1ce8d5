import assert from "node:assert/strict";
import { readServerConfig } from "./config.ts";
import { serverPermissions } from "./permissions.ts";

const env = {
  STRIPE_SECRET_KEY: "rk_live_abc",
  STRIPE_PUBLISHABLE_KEY: "pk_live_abc",
  STRIPE_WEBHOOK_SECRET: "whsec_a",
  PARENT_APP_URL: "https://app.example",
  PLUGIN_URL: "https://billing.example",
  PARENT_APP_JWKS_URL: "https://keys.example/jwks.json",
  SESSION_SECRET: "s".repeat(32),
  SUPABASE_DB_URL:
    "postgresql://billing_service:x@db.example/postgres?sslmode=verify-full&sslrootcert=./project.crt",
};

Deno.test("serverPermissions() names the hosts of the configuration, the variables and the built files, and nothing else", () => {
  const permissions = serverPermissions(readServerConfig(env), { hostname: "127.0.0.1", port: 8000 });
  assert.equal(permissions.length, 3);
  const [net, variables, files] = permissions;
  assert.equal(net, "--allow-net=127.0.0.1:8000,db.example:5432,api.stripe.com:443,keys.example:443");
  assert.match(variables, /^--allow-env=[A-Z_*,]+$/);
  assert.match(variables, /\bSTRIPE_SECRET_KEY\b/);
  assert.equal(files, "--allow-read=_fresh/public,billing/identity/signing_worker.ts,./project.crt");
});

Deno.test("serverPermissions() takes IPv6, a port that is chosen later, a pooler and a simulator", () => {
  const local = {
    ...env,
    STRIPE_SECRET_KEY: "sk_test_abc",
    STRIPE_PUBLISHABLE_KEY: "pk_test_abc",
    STRIPE_API_BASE: "http://127.0.0.1:4103",
    PARENT_APP_JWKS_URL: "",
    PARENT_APP_JWT_SECRET: "p".repeat(32),
    BILLING_DB_URL: "postgresql://billing_service.ref:x@pooler.example:6543/postgres?sslmode=verify-full",
  };
  const [net] = serverPermissions(readServerConfig(local), { hostname: "::1", port: 0 });
  assert.equal(net, "--allow-net=[::1],pooler.example:6543,127.0.0.1:4103");
  const [open] = serverPermissions(readServerConfig(local), { hostname: "0.0.0.0", port: 80 });
  assert.match(open, /^--allow-net=0\.0\.0\.0:80,127\.0\.0\.1:80,pooler/);
});
