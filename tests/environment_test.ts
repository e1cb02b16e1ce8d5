import assert from "node:assert/strict";
import { buildApp } from "./support/build.ts";
import { runDeno } from "./support/run_deno.ts";

/** Serves a module with this environment and nothing else set, until it ends by itself. */
const serve = (module: string, env: Record<string, string>) =>
  runDeno(["serve", "--allow-all", "--no-prompt", "--host=127.0.0.1", "--port=0", module], env);

Deno.test("the plugin server names every missing or wrong variable and exits with code 1", async () => {
  await buildApp();
  const { code, stdout, stderr } = await serve("_fresh/server.js", {
    STRIPE_SECRET_KEY: "pk_test_wrong",
    PLUGIN_URL: "https://billing.example",
  });
  assert.equal(code, 1);
  assert.match(stderr, /^ +STRIPE_SECRET_KEY should be a secret or restricted key/m);
  for (const name of ["PARENT_APP_URL", "SESSION_SECRET", "SUPABASE_DB_URL", "STRIPE_WEBHOOK_SECRET"]) {
    assert.match(stderr, new RegExp(`^ +${name} is missing: it should be `, "m"));
  }
  assert.match(
    stderr,
    /^ +PARENT_APP_JWT_SECRET or PARENT_APP_JWKS_URL or [A-Z_ or]+: exactly one of them should be set$/m,
  );
  assert.doesNotMatch(stderr, /PLUGIN_URL|\bat .*\.ts:\d+/);
  assert.doesNotMatch(stdout + stderr, /Listening/);
});

Deno.test("the webhook function names the variables that it lacks and exits with code 1", async () => {
  const { code, stderr } = await serve("supabase/functions/stripe-webhook/index.ts", {});
  assert.equal(code, 1);
  assert.match(stderr, /STRIPE_WEBHOOK_SECRET is missing/);
  assert.doesNotMatch(stderr, /PARENT_APP_URL/);
});
