// Half an hour of bad days (DUES_SOAK_MINUTES for another time): Postgres restarts, Stripe hangs, answers 500 and 429 and hangs
// up, the webhook's function is killed, and attackers press, while people sign up and pay. In the end nothing is lost, everybody
// was served, and the server's memory is flat.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectDatabase } from "../../billing/db/database.ts";
import { openPool } from "../../billing/db/sql.ts";
import { reconcile } from "../../billing/reconcile/reconciliation.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { databaseUrl, newPasswords, prepareDatabase } from "../../local/postgres/cluster.ts";
import { startPostgres } from "../../local/postgres/start_postgres.ts";
import { Children } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { SERVING_LINE } from "../../local/processes/serve_module.ts";
import { startStack } from "../../local/stack.ts";
import { figuresOf, press, report } from "../abuse/pressing.ts";
import { openSocket } from "../abuse/sockets.ts";
import { type ApiClient, apiClient, newAdmin, type Person } from "../http/client.ts";
import { buildApp } from "../support/build.ts";
import { descendantsOf } from "../support/processes.ts";
import { callSimulator } from "../support/simulator.ts";

const MINUTES = Number(Deno.env.get("DUES_SOAK_MINUTES") ?? 30);
/** How long a person tries again before they give up. */
const PATIENCE_MS = 90_000;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A PostgreSQL server that can be stopped and started with its data. */
async function restartablePostgres(folder: string) {
  const [port] = freePorts(1);
  const cluster = { port, passwords: newPasswords() };
  let children = new Children();
  const start = () =>
    startPostgres(children, {
      port,
      password: cluster.passwords.supabase_admin,
      dataFolder: join(folder, "data"),
    });
  await start();
  await prepareDatabase(cluster);
  return {
    cluster,
    async restart() {
      await children.stop();
      children = new Children();
      await start();
    },
    stop: () => children.stop(),
  };
}

/** The webhook's edge function as a process that can be killed. */
function killableFunction(env: Record<string, string>, port: number) {
  let children = new Children();
  const start = () =>
    children.start({
      name: "webhook",
      module: "local/processes/serve_module.ts",
      args: ["supabase/functions/stripe-webhook/index.ts", String(port)],
      env,
      readyWhen: { line: SERVING_LINE },
    });
  return {
    start,
    async kill() {
      const [running] = (await descendantsOf(Deno.pid)).filter(({ command }) => command.includes(` ${port}`));
      if (running) Deno.kill(running.pid, "SIGKILL");
      await pause(300);
      await children.stop();
      children = new Children();
      await start();
    },
    stop: () => children.stop(),
  };
}

/** Resident memory of the plugin's server, in megabytes. */
async function memoryOf(pluginPort: string): Promise<number> {
  const all = await descendantsOf(Deno.pid);
  const server = all.find(({ command }) =>
    command.includes("server/serve.ts") && command.includes(pluginPort)
  );
  if (!server || !existsSync(`/proc/${server.pid}/status`)) return NaN;
  const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
  return Number(status.match(/VmRSS:\s+(\d+)/)![1]) / 1024;
}

/** Repeats what fails for a passing reason, as a person or their browser does. */
async function untilServed<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await attempt().catch(() => undefined);
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error("was not served in time");
    await pause(1_000);
  }
}

const SESSION = "/api/auth/session";
const CHECKOUT = "/api/stripe/create-checkout-session";

async function tokenOf(api: ApiClient, person: Person): Promise<string | undefined> {
  const { status, body } = await api.call("POST", SESSION, {
    json: { identityToken: await api.identityToken(person) },
  });
  return status === 200 ? body.token : undefined;
}

Deno.test(`${MINUTES} minutes in which Postgres restarts, Stripe fails, functions are killed and attackers press: nothing is lost`, async () => {
  await buildApp();
  const folder = await Deno.makeTempDir({ prefix: "dues-faults-" });
  await Deno.chmod(folder, 0o777);
  const postgres = await restartablePostgres(folder);
  const { cluster } = postgres;
  const stack = await startStack({
    portBase: 0,
    ephemeral: true,
    app: "built",
    database: { cluster, name: "postgres" },
  });
  const api = apiClient(stack);
  const stripe = connectStripe({ secretKey: stack.keys.stripeSecretKey, apiBase: stack.urls.stripe });
  const [functionPort] = freePorts(1);
  // In place of the stack's own function, which nobody can kill.
  const { data: endpoints } = await stripe.webhookEndpoints.list();
  for (const { id } of endpoints) await stripe.webhookEndpoints.update(id, { disabled: true });
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${functionPort}/stripe-webhook`,
    enabled_events: ["*"],
    api_version: "2026-10-28.endive" as never,
  });
  const webhook = killableFunction({ ...stack.env, STRIPE_WEBHOOK_SECRET: endpoint.secret! }, functionPort);
  await webhook.start();

  const end = Date.now() + MINUTES * 60_000;
  const isOver = () => Date.now() >= end;
  const paid: Person[] = [];
  const unpaid: Person[] = [];
  const failures: string[] = [];
  const health = { times: [] as number[], served: 0 };
  const memory: number[] = [];
  const done = { restarts: 0, kills: 0, faults: 0 };

  const people = async (n: number) => {
    while (!isOver()) {
      const person = newAdmin({ sub: `person-${n}` });
      const began = performance.now();
      try {
        const token = await untilServed(() => tokenOf(api, person));
        if (Math.random() < 0.3) unpaid.push(person);
        else {
          const sessionId = await untilServed(async () => {
            const fresh = await tokenOf(api, person) ?? token;
            const { status, body } = await api.call("POST", CHECKOUT, { token: fresh, json: {} });
            return status === 200 ? body.sessionId as string : undefined;
          });
          await callSimulator(stack, "POST", `/_sim/checkout/${sessionId}/pay`);
          paid.push(person);
        }
      } catch (error) {
        failures.push(`${person.cid} after ${Math.round(performance.now() - began)} ms: ${error}`);
      }
      await pause(500 + Math.random() * 1_000);
    }
  };

  const watch = async () => {
    while (!isOver()) {
      const began = performance.now();
      const { status } = await api.call("GET", "/api/health").catch(() => ({ status: 0 }));
      health.times.push(performance.now() - began);
      if (status === 200) health.served++;
      await pause(250);
    }
  };

  const trouble = async () => {
    const faults = [
      { kind: "api_error", status: 500, target: "*", probability: 0.3, seed: 1, next: 40 },
      { kind: "api_error", status: 429, target: "*", probability: 0.3, seed: 2, next: 40 },
      {
        kind: "api_error",
        status: 500,
        carried_out: true,
        target: "POST *",
        probability: 0.3,
        seed: 3,
        next: 10,
      },
      { kind: "api_delay", ms: 3_000, target: "*", probability: 0.3, seed: 4, next: 30 },
      { kind: "api_time_out", ms: 20_000, target: "*", probability: 0.2, seed: 5, next: 8 },
      { kind: "api_hang_up", target: "*", probability: 0.3, seed: 6, next: 15 },
      { kind: "drop_delivery", target: "*", probability: 0.2, seed: 7, next: 20 },
      { kind: "duplicate_delivery", target: "*", probability: 0.3, seed: 8, next: 20 },
      { kind: "reorder_delivery", places: 3, target: "*", probability: 0.3, seed: 9, next: 20 },
    ];
    for (let round = 0; !isOver(); round++) {
      await callSimulator(stack, "POST", "/_sim/faults", faults[round % faults.length]);
      done.faults++;
      await pause(4_000);
      if (round % 4 === 1) {
        await webhook.kill();
        done.kills++;
      }
      if (round % 8 === 5) {
        await postgres.restart();
        done.restarts++;
      }
      memory.push(await memoryOf(new URL(stack.urls.plugin).port));
      await pause(2_000);
    }
  };

  const attacker = newAdmin({ sub: "attacker" });
  const attacks = [
    press(4, Infinity, async (n) => {
      const token = await tokenOf(api, attacker);
      await api.call("POST", CHECKOUT, { token, json: { pluginId: `p-${n}` } });
    }),
    press(4, Infinity, async (n) => {
      const junk = await api.identityToken(
        newAdmin(),
        {},
        `a wrong secret of thirty-two characters ${n % 9}`,
      );
      await api.call("POST", SESSION, { json: { identityToken: junk } });
      await pause(20);
    }),
    press(2, Infinity, async () => {
      const body = new Uint8Array(500_000);
      const response = await fetch(`${stack.urls.plugin}/api/webhooks/stripe`, { method: "POST", body });
      await response.body?.cancel();
      await pause(20);
    }),
    press(1, Infinity, async () => {
      const sockets = await Promise.all(Array.from({ length: 200 }, () => openSocket(stack.urls.plugin)));
      await Promise.all(
        sockets.map((socket) => socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")),
      );
      await pause(5_000);
      sockets.forEach((socket) => socket.close());
    }),
  ];

  try {
    await Promise.all([...Array.from({ length: 5 }, (_, n) => people(n)), watch(), trouble()]);
    await Promise.all(attacks.map((attack) => attack.stop()));
    await callSimulator(stack, "DELETE", "/_sim/faults");
    await pause(2_000);

    const db = connectDatabase(databaseUrl(cluster, "billing_service"), { max: 5 });
    const sql = openPool(databaseUrl(cluster, "postgres"));
    try {
      await reconcile({ db, stripe, isLive: false }, { isFull: true });
      const rows = await sql<{ id: string; plan: string }[]>`
        select c.id, p.code as plan from public.communities c join public.plans p on p.id = c.current_plan_id`;
      const plans = new Map(rows.map(({ id, plan }) => [id, plan]));
      const wrong = [
        ...paid.filter(({ cid }) => plans.get(cid) !== "pro").map(({ cid }) =>
          `${cid} paid and is on ${plans.get(cid)}`
        ),
        ...unpaid.filter(({ cid }) => plans.get(cid) !== "free").map(({ cid }) =>
          `${cid} is on ${plans.get(cid)}`
        ),
      ];
      const figures = {
        ...done,
        paid: paid.length,
        unpaid: unpaid.length,
        notServed: failures.length,
        health: figuresOf(health.times.length, health.served, health.times),
        megabytes: {
          begin: Math.round(memory[Math.min(2, memory.length - 1)]),
          end: Math.round(memory.at(-1)!),
        },
        attacks: attacks.map((attack) => attack.done),
      };
      report(`${MINUTES} minutes of faults`, figures);
      assert.deepEqual(wrong, [], "nothing is lost");
      assert.deepEqual(failures, [], "everybody is served");
      assert.ok(paid.length > 0 && done.restarts > 0 && done.kills > 0);
      const { begin, end: last } = figures.megabytes;
      if (!Number.isNaN(begin)) assert.ok(last < begin * 1.5 + 40, `memory grew from ${begin} to ${last} MB`);
    } finally {
      await db.close();
      await sql.close();
    }
  } finally {
    await webhook.stop();
    await stack.stop();
    await postgres.stop();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
});
