// What is missing is found before anybody meets it.
import assert from "node:assert/strict";
import { checkQuotaConfiguration } from "../../billing/quota/quota_configuration.ts";
import { projectRoot } from "../../local/paths.ts";
import { buildApp } from "../support/build.ts";
import { createDatabase } from "../support/database.ts";
import { startQuotaRig } from "./rig.ts";

Deno.test("the seed has a limit on every plan for everything the plugin guards", async () => {
  await using rig = await startQuotaRig();
  await checkQuotaConfiguration(rig.db);
});

Deno.test("features and limits that are missing are named, with the plan", async () => {
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

/** Starts the plugin server as built, and waits until it ends by itself or says that it listens. */
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
      SUPABASE_URL: "https://project.example",
      SUPABASE_PUBLISHABLE_KEY: "sb_publishable_x",
      SUPABASE_JWT_SECRET: "x".repeat(32),
      SUPABASE_DB_URL: databaseUrl,
    },
    clearEnv: true,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  for await (const chunk of server.stderr.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.includes("Listening")) {
      server.kill("SIGKILL");
      break;
    }
  }
  const { code } = await server.status;
  return said.includes("Listening") ? said : `${said}exit code ${code}`;
}

Deno.test("without a limit the server does not start, and says for which feature and plan", async () => {
  await using database = await createDatabase();
  await database.connect("postgres")`
    delete from public.plan_limits l using public.plans p
    where p.id = l.plan_id and p.code = 'pro' and l.feature = 'ai_chat_message'`;
  const said = await startServer(database.url("billing_service"));
  assert.match(said, /ai_chat_message: plan pro has no limit/);
  assert.match(said, /exit code 1$/);
  assert.doesNotMatch(said, /Listening|plan free|\.ts:\d/);
});

Deno.test("a database that is away does not keep the server from starting", async () => {
  const said = await startServer("postgresql://billing_service:x@127.0.0.1:1/postgres");
  assert.match(said, /The limits could not be checked/);
  assert.match(said, /Listening/);
});
