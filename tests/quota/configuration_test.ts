// The check of features and limits when the server starts.
import assert from "node:assert/strict";
import { checkQuotaConfiguration } from "../../billing/quota/quota_configuration.ts";
import { projectRoot } from "../../local/paths.ts";
import { buildApp } from "../support/build.ts";
import { createDatabase } from "../support/database.ts";
import { startQuotaRig } from "./rig.ts";

Deno.test("checkQuotaConfiguration accepts the seed", async () => {
  await using rig = await startQuotaRig();
  await checkQuotaConfiguration(rig.db);
});

Deno.test("checkQuotaConfiguration names missing features, and missing limits by plan", async () => {
  await using rig = await startQuotaRig();
  await rig.operator`insert into public.features (code, name, unit) values ('export', 'Exports', 'export')`;
  await rig.setLimit("free", "export", 1);
  await assert.rejects(checkQuotaConfiguration(rig.db, ["export", "nothing"], ["export"]), {
    name: "QuotaConfigurationError",
    message: [
      "The limits are not complete:",
      "  export: plan free has no limit of so many at once. Add one to plan_limits with quota_window 0.",
      "  export: plan pro has no limit within a window. Add one to the table plan_limits.",
      "  export: plan pro has no limit of so many at once. Add one to plan_limits with quota_window 0.",
      "  nothing: there is no such feature. Add it to the table features.",
    ].join("\n"),
  });
});

/** Starts the built plugin server. Returns its stderr when it listens or has ended, with the exit code. */
async function startServer(databaseUrl: string): Promise<string> {
  await buildApp();
  const server = new Deno.Command(Deno.execPath(), {
    args: ["serve", "--allow-all", "--no-prompt", "--host=127.0.0.1", "--port=0", "_fresh/server.js"],
    cwd: projectRoot,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      NO_COLOR: "1",
      STRIPE_SECRET_KEY: "sk_test_x",
      STRIPE_PUBLISHABLE_KEY: "pk_test_x",
      STRIPE_WEBHOOK_SECRET: "whsec_x",
      PARENT_APP_URL: "https://app.example",
      PLUGIN_URL: "https://billing.example",
      PARENT_APP_JWT_SECRET: "x".repeat(32),
      SESSION_SECRET: "s".repeat(32),
      SUPABASE_DB_URL: databaseUrl,
    },
    clearEnv: true,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let output = "";
  for await (const chunk of server.stderr.pipeThrough(new TextDecoderStream())) {
    output += chunk;
    if (output.includes("Listening")) {
      server.kill("SIGKILL");
      break;
    }
  }
  const { code } = await server.status;
  return output.includes("Listening") ? output : `${output}exit code ${code}`;
}

Deno.test("the server does not start when a plan has no limit for a feature, and names both", async () => {
  await using database = await createDatabase();
  await database.connect("postgres")`
    delete from public.plan_limits l using public.plans p
    where p.id = l.plan_id and p.code = 'pro' and l.feature = 'ai_chat_message'`;
  const output = await startServer(database.url("billing_service"));
  assert.match(output, /ai_chat_message: plan pro has no limit/);
  assert.match(output, /exit code 1$/);
  assert.doesNotMatch(output, /Listening|plan free|\.ts:\d/);
});

Deno.test("the server starts when the database is unreachable, and logs it", async () => {
  const output = await startServer("postgresql://billing_service:x@127.0.0.1:1/postgres");
  assert.match(output, /The limits could not be checked/);
  assert.match(output, /Listening/);
});
