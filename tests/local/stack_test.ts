import assert from "node:assert/strict";
import { openPool } from "../../billing/db/sql.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { LocalError } from "../../local/errors.ts";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { startTestStack } from "../support/stack.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";
import { descendantsOf, leftOver, type Process } from "../support/processes.ts";

/** The processes of one stack, among those of other tests. */
async function processesOf({ urls }: Stack): Promise<Process[]> {
  const ports = Object.values(urls).map((url) => RegExp(`--port=${new URL(url).port}\\b`));
  const started = await descendantsOf(Deno.pid);
  const own = started.filter(({ command }) => ports.some((port) => port.test(command)));
  return [...own, ...(await Promise.all(own.map(({ pid }) => descendantsOf(pid)))).flat()];
}

interface KeptStacks extends AsyncDisposable {
  stateFolder: string;
  start(options?: Partial<StackOptions>): Promise<Stack>;
}

async function kept(): Promise<KeptStacks> {
  const folder = await makeTemporaryFolder();
  const stateFolder = folder.path;
  return {
    stateFolder,
    start: (options) => startStack({ portBase: 0, ephemeral: false, app: "none", stateFolder, ...options }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function titles({ urls }: Stack): Promise<string[]> {
  const sql = openPool(urls.postgres, { max: 1 });
  const rows = await sql`select title from public.communities order by title`;
  await sql.close();
  return rows.map(({ title }) => title);
}

async function addCommunity({ urls }: Stack, title: string): Promise<void> {
  const sql = openPool(urls.postgres, { max: 1 });
  await sql`insert into public.communities (id, title, current_plan_id)
    select ${title}, ${title}, id from public.plans where code = 'free'`;
  await sql.close();
}

function stripeOf({ urls, keys }: Stack) {
  return connectStripe({ secretKey: keys.stripeSecretKey, apiBase: urls.stripe });
}

Deno.test("a stack keeps database, Stripe state and secrets from one start to the next, and --reset drops them", async () => {
  await using state = await kept();
  const first = await state.start();
  await addCommunity(first, "Garden");
  const customer = await stripeOf(first).customers.create({ name: "Garden" });
  await assert.rejects(
    state.start(),
    (error) => error instanceof LocalError && error.code === "state_in_use",
    "a second stack on the same state",
  );
  await first.stop();

  const second = await state.start();
  assert.deepEqual(await titles(second), ["Garden"]);
  assert.equal((await stripeOf(second).customers.retrieve(customer.id)).id, customer.id);
  assert.equal(second.keys.supabasePublishableKey, first.keys.supabasePublishableKey);
  await second.stop();

  const third = await state.start({ reset: true });
  assert.deepEqual(await titles(third), []);
  await assert.rejects(stripeOf(third).customers.retrieve(customer.id));
  assert.notEqual(third.keys.supabasePublishableKey, second.keys.supabasePublishableKey);
  await third.stop();
});

Deno.test("a stack starts on the state of one whose processes were all killed", async () => {
  await using state = await kept();
  const first = await state.start();
  await addCommunity(first, "Garden");
  const processes = await processesOf(first);
  const server = processes.find(({ command }) => command.includes("bin/postgres -D"));
  assert(server);
  for (const { pid, command } of processes) {
    if (command.includes("exit_with_parent.ts")) Deno.kill(pid, "SIGKILL");
  }
  await first.stop();
  assert.deepEqual(await leftOver([server], 0), [server], "the server itself is an orphan now");

  const second = await state.start();
  assert.deepEqual(await titles(second), ["Garden"]);
  assert.deepEqual(await leftOver([server]), []);
  await second.stop();
});

Deno.test("stack.failed names the process that ended and its signal, and stop() then stops the rest", async () => {
  const stack = await startTestStack({ app: "none" });
  const processes = (await processesOf(stack)).filter(({ command }) => !command.includes("postgres"));
  const simulator = processes.find(({ command }) => command.includes("packages/stripe-simulator/main.ts"));
  assert(simulator);
  Deno.kill(simulator.pid, "SIGKILL");
  const failure = await stack.failed;
  assert.equal(failure.code, "child_died");
  assert.match(failure.message, /^stripe ended unexpectedly \(SIGKILL\)/);
  await assert.rejects(stack.stop(), failure);
  assert.deepEqual(await leftOver(processes), []);
});

Deno.test("a stack that is stopped while it starts leaves nothing behind", async () => {
  await using state = await kept();
  const controller = new AbortController();
  const starting = state.start({
    signal: controller.signal,
    onProgress: (step, milliseconds) => {
      if (step === "PostgreSQL" && milliseconds) controller.abort();
    },
  });
  await assert.rejects(starting, (error) => error instanceof LocalError && error.code === "stopped");
  const started = await descendantsOf(Deno.pid);
  assert.deepEqual(started.filter(({ command }) => command.includes(state.stateFolder)), []);
});
