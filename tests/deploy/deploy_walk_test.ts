// docs/deploy.md, word by word: every command in its order, on a database as hosted Supabase gives it, from an empty folder
// to a paid plan. `supabase` itself is played: what it would do on a hosted project happens on the database and the gateway of
// this machine.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Pool } from "../../billing/db/sql.ts";
import { migrate } from "../../local/postgres/migrate.ts";
import { databaseUrl } from "../../local/postgres/cluster.ts";
import { startEphemeralCluster } from "../../local/postgres/ephemeral_cluster.ts";
import { projectPath, projectRoot } from "../../local/paths.ts";
import { Children, commonEnvironment } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { startGateway } from "../../local/supabase/gateway.ts";
import { copyProject } from "../../local/upstream_check.ts";
import { startSimulator } from "@dues/stripe-simulator/testing";
import { apiClient, newAdmin } from "../http/client.ts";
import { createDatabase } from "../support/database.ts";
import { payCheckout } from "../support/simulator.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";

/** Live within this time, machine time of a busy machine included. */
const LIVE_MS = 600_000;
const WAIT_MS = 60_000;

/** The code blocks of the document up to "Check everything", in order: shell commands and SQL. */
function stepsOf(document: string): { section: string; language: string; text: string }[] {
  const sections = document.split(/^## /m).slice(1);
  const last = sections.findIndex((text) => text.startsWith("Check everything"));
  return sections.slice(0, last + 1).flatMap((text) =>
    [...text.matchAll(/^```(sh|sql)\n([^]*?)^```/gm)].map(([_, language, block]) => ({
      section: text.split("\n")[0],
      language,
      text: block,
    }))
  );
}

/** The lines of a shell block, without comments. */
const commandsOf = (block: string) =>
  block.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim()).filter(Boolean);

async function waitFor(url: string): Promise<void> {
  const until = Date.now() + WAIT_MS;
  while (Date.now() < until) {
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer`);
}

Deno.test("docs/deploy.md followed word by word leads to a paid plan, and the doctor finds nothing wrong", async () => {
  const began = performance.now();
  const children = new Children();
  const { simulator } = await startSimulator();
  // It sets the password of a role, which other test files log in with at the same time.
  const database = await createDatabase("blank", await startEphemeralCluster(children));
  await using folder = await makeTemporaryFolder();
  let server: Deno.ChildProcess | undefined;
  const [pluginPort, supabasePort] = freePorts(2);
  const parent = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("parent app"),
  );
  try {
    const sql = database.connect("postgres");
    await makeHosted(sql);
    await copyProject(projectRoot, folder.path);
    for (const name of ["node_modules", "deno.lock", "packages/fresh"]) {
      await Deno.symlink(projectPath(name), join(folder.path, name));
    }

    const file = join(folder.path, ".env");
    /** Fills in a variable, as an operator does in an editor. */
    const fill = async (values: Record<string, string>) => {
      let text = await Deno.readTextFile(file);
      for (const [name, value] of Object.entries(values)) {
        const line = new RegExp(`^(# )?${name}=.*$`, "m");
        text = line.test(text) ? text.replace(line, () => `${name}=${value}`) : `${text}${name}=${value}\n`;
      }
      await Deno.writeTextFile(file, text);
    };
    const filled = async (name: string) =>
      (await Deno.readTextFile(file)).match(new RegExp(`^${name}=(.+)$`, "m"))?.[1] ?? "";
    const environment = {
      ...commonEnvironment(),
      PATH: `${folder.path}/bin:${Deno.env.get("PATH")}`,
    };
    await Deno.mkdir(join(folder.path, "bin"));
    await Deno.symlink(Deno.execPath(), join(folder.path, "bin", "deno"));
    const shell = async (command: string): Promise<string> => {
      const { success, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-euo", "pipefail", "-c", command],
        cwd: folder.path,
        env: environment,
        clearEnv: true,
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.ok(success, `${command}\n${out}${err}`);
      return out;
    };

    const secrets: Record<string, string> = {};
    const supabase = async (command: string) => {
      if (command.startsWith("supabase link")) return;
      if (command.startsWith("supabase db push")) {
        await migrate(sql, { folder: join(folder.path, "supabase") });
      } else if (command.startsWith("supabase secrets set")) {
        for (const [, name] of command.matchAll(/([A-Z_]+)=…/g)) secrets[name] = await filled(name);
      } else if (command.startsWith("supabase functions deploy")) {
        await startGateway(children, {
          port: supabasePort,
          requestUrl: databaseUrl(database.cluster, "authenticator", database.name),
          structureUrl: database.url("postgres"),
          jwtSecret: "0123456789abcdef0123456789abcdef",
          publishableKey: "sb_publishable_1",
          secretKey: "sb_secret_1",
          // The platform gives the functions the database as role postgres.
          functionSecrets: {
            ...secrets,
            STRIPE_API_BASE: simulator.url,
            SUPABASE_DB_URL: database.url("postgres"),
          },
        });
      } else throw new Error(`not played: ${command}`);
    };

    const password = crypto.randomUUID();
    let doctor = "";
    for (
      const { section, language, text } of stepsOf(await Deno.readTextFile(projectPath("docs", "deploy.md")))
    ) {
      if (language === "sql") {
        // What the set-up does, shown for those who want to do it by hand.
        if (section === "The schedules") continue;
        await sql.script(text.replaceAll("'…'", `'${password}'`));
        continue;
      }
      for (const command of commandsOf(text)) {
        if (command.startsWith("supabase ")) await supabase(command);
        else if (command.startsWith("deno task start")) {
          server = new Deno.Command("deno", {
            args: ["task", "start", "--host", "127.0.0.1", "--port", `${pluginPort}`],
            cwd: folder.path,
            env: environment,
            clearEnv: true,
            stdout: "null",
            stderr: "null",
          }).spawn();
          await waitFor(`http://127.0.0.1:${pluginPort}/api/health`);
        } else if (command.includes("deno task schedules")) {
          continue; // without pg_cron
        } else {
          const out = await shell(command);
          if (command === "deno task stripe:setup") {
            const printed = Object.fromEntries(
              [...out.matchAll(/^([A-Z_]+)=(\S+)$/gm)].map(([_, name, value]) => [name, value]),
            );
            assert.deepEqual(Object.keys(printed).sort(), [
              "STRIPE_PORTAL_CONFIGURATION_ID",
              "STRIPE_WEBHOOK_SECRET",
            ]);
            assert.doesNotMatch(out, /To do:/);
            await fill(printed);
          }
          if (command.startsWith("deno task doctor")) doctor = out;
        }
      }
      // What the text between the blocks asks for.
      if (section === "The environment") {
        await fill({
          PARENT_APP_URL: `http://127.0.0.1:${parent.addr.port}`,
          PLUGIN_URL: `http://127.0.0.1:${pluginPort}`,
          SUPABASE_URL: `http://127.0.0.1:${supabasePort}`,
          PARENT_APP_JWT_SECRET: "d1f2a3b4c5d6e7f8091a2b3c4d5e6f70",
          PARENT_APP_JWKS_URL: "",
          STRIPE_API_BASE: simulator.url,
          STRIPE_SECRET_KEY: "sk_test_walk",
          STRIPE_PUBLISHABLE_KEY: "pk_test_walk",
          STRIPE_PORTAL_CONFIGURATION_ID: "",
        });
      }
      if (section === "The database" && language === "sh") {
        await fill({
          OPERATOR_DB_URL: database.url("postgres"),
          SUPABASE_DB_URL:
            `postgresql://billing_service:${password}@127.0.0.1:${database.cluster.port}/${database.name}`,
        });
      }
    }
    assert.match(doctor, /^\d+ right, 0 wrong, 0 to look at, \d not checked$/m, doctor);

    const urls = {
      plugin: `http://127.0.0.1:${pluginPort}`,
      stripe: simulator.url,
      parent: `http://127.0.0.1:${parent.addr.port}`,
    };
    const stack = { urls, keys: { parentAppJwtSecret: await filled("PARENT_APP_JWT_SECRET") } } as unknown as
      & Parameters<typeof apiClient>[0]
      & Parameters<typeof payCheckout>[0];
    const api = apiClient(stack);
    const token = await api.signIn(newAdmin());
    const checkout = await api.call("POST", "/api/stripe/create-checkout-session", {
      token,
      json: { planCode: "pro" },
    });
    assert.equal(checkout.status, 200, JSON.stringify(checkout.body));
    await payCheckout(stack, checkout.body.sessionId);
    const { body } = await api.call("GET", "/api/community/billing-info", { token });
    assert.equal(body.plan.code, "pro");
    assert.ok(performance.now() - began < LIVE_MS);
  } finally {
    try {
      server?.kill("SIGTERM");
    } catch {
      // It has ended, and the test has failed for it.
    }
    await server?.status;
    await parent.shutdown();
    await database.drop();
    await children.stop();
    await simulator.stop();
  }
});

/** What a hosted project has besides roles and schemas: extensions, and default privileges that expose new objects. */
async function makeHosted(sql: Pool): Promise<void> {
  await sql.script(await Deno.readTextFile(projectPath("tests", "support", "hosted_extensions.sql")));
  for (const kind of ["tables", "sequences", "functions"]) {
    await sql.script(
      `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role`,
    );
  }
}
