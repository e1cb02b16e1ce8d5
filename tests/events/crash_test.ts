import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import Stripe from "stripe";
import { type Event, serializeSnapshot } from "@dues/stripe-simulator";
import { pay } from "@dues/stripe-simulator/testing";
import { delivery } from "./stripe_stand_in.ts";
import { liveSubscriptions } from "./lives.ts";
import { type Break, type Proxy, startProxy } from "./proxy.ts";
import { startScene, startStage } from "./scene.ts";
import { assertMatchesStripe } from "./truth.ts";

/** When a process is killed: before its message arrives, or after it was carried out and before the answer arrives. */
interface Step {
  name: string;
  line: "database" | "Stripe";
  when: Break;
  /** A text that identifies the message. */
  text: string;
}

const steps = (line: Step["line"], name: string, text: string): Step[] => [
  { name: `before ${name}`, line, when: "query", text },
  { name: `after ${name}`, line, when: "answer", text },
];

/** A server that a test kills, with proxies on its connections. */
interface KillableServer extends AsyncDisposable {
  url: string;
  /** Kills it (SIGKILL) when it reaches this step. */
  killAt(step: Step): void;
  kill(): void;
  died: Promise<unknown>;
}

async function startKillableServer(databaseUrl: string, stripeUrl: string): Promise<KillableServer> {
  const kill = () => process.kill("SIGKILL");
  const proxies: Record<Step["line"], Proxy> = {
    database: startProxy(Number(new URL(databaseUrl).port), kill),
    Stripe: startProxy(Number(new URL(stripeUrl).port), kill),
  };
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      fileURLToPath(import.meta.resolve("./crash_server.ts")),
      proxies.database.through(databaseUrl),
      new URL(proxies.Stripe.through(stripeUrl)).origin,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [url] = await createInterface(Readable.fromWeb(process.stdout as never))[Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value as string]);
  return {
    url,
    killAt: ({ line, when, text }) => proxies[line].breakNext(when, text),
    kill,
    died: process.status,
    async [Symbol.asyncDispose]() {
      try {
        kill();
      } catch {
        // It is not running any more.
      }
      await process.status;
      await proxies.database[Symbol.asyncDispose]();
      await proxies.Stripe[Symbol.asyncDispose]();
    },
  };
}

/** Sends a request during which the server is killed: there must be no answer. */
async function askUntilKilled(server: KillableServer, ask: (url: string) => Promise<Response>, step: Step) {
  server.killAt(step);
  const answer = await ask(server.url).then(
    async (response) => `${response.status} ${await response.text()}`,
    () => "no answer",
  );
  assert.equal(answer, "no answer", `killed ${step.name}`);
  await server.died;
}

const click = (community: string) => (url: string) =>
  fetch(`${url}/click?community=${encodeURIComponent(community)}`, { method: "POST" });

const deliver = (event: Event) => async (url: string) => {
  const { headers, body } = await delivery(serializeSnapshot(event, Stripe.API_VERSION));
  return await fetch(`${url}/webhook`, { method: "POST", headers, body });
};

async function assertAccepted(response: Response) {
  assert.equal(response.status, 200, await response.text());
}

Deno.test("a server killed at any step of a checkout leads to one customer and one open session after the next click", async () => {
  const all: Step[] = [
    // A prepared query's text is not in every message, but its parameters are: each step has a community of its name.
    { name: "before reading the context", line: "database", when: "query", text: "before reading" },
    { name: "after reading the context", line: "database", when: "answer", text: "after reading" },
    ...steps("Stripe", "creating the customer", "POST /v1/customers HTTP"),
    ...steps("database", "linking the customer", "cus_"),
    ...steps("database", "beginning the attempt", '{"customer":"cus_'),
    ...steps("Stripe", "creating the session", "POST /v1/checkout/sessions HTTP"),
    ...steps("database", "storing the session", "cs_test_"),
  ];
  const communities = all.map(({ name }) => name);
  await using stage = await startStage();
  await using scene = await startScene(stage, { communities });
  let server = await startKillableServer(stage.url, scene.simulator.url);
  try {
    for (const step of all) {
      await askUntilKilled(server, click(step.name), step);
      await server[Symbol.asyncDispose]();
      server = await startKillableServer(stage.url, scene.simulator.url);

      const response = await click(step.name)(server.url);
      const { sessionId } = await response.json();
      assert.equal(response.status, 200, step.name);
      const customers = [...scene.owners].filter(([, community]) => community === step.name).map(([id]) =>
        id
      );
      assert.equal(customers.length, 1, `one customer: ${step.name}`);
      const { data } = await scene.stripe.checkout.sessions.list({ customer: customers[0] });
      assert.deepEqual(data.map(({ id, status }) => [id, status]), [[sessionId, "open"]], step.name);
      await pay(scene.simulator, sessionId);
    }
    for (const event of scene.events) await assertAccepted(await deliver(event)(server.url));
    await assertMatchesStripe(scene, communities, "every community has the plan it paid for");
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

Deno.test("a server killed at any step of a webhook loses no event and applies none twice", async () => {
  await using stage = await startStage();
  await using scene = await startScene(stage, { communities: ["garden"] });
  const { stripe, simulator } = scene;
  let server = await startKillableServer(stage.url, simulator.url);
  const killAndDeliverAgain = async (event: Event, step: Step) => {
    await askUntilKilled(server, deliver(event), step);
    await server[Symbol.asyncDispose]();
    server = await startKillableServer(stage.url, simulator.url);
    await assertAccepted(await deliver(event)(server.url));
  };
  try {
    const session = await (await click("garden")(server.url)).json();
    await pay(simulator, session.sessionId);
    const [subscription] = liveSubscriptions(scene, "garden");

    // The usual case, one round trip. Each step needs an event that is new.
    const isOf = (type: string) => (event: Event) => event.type === type;
    const created = scene.events.find(isOf("customer.subscription.created"))!;
    const paid = scene.events.find(isOf("invoice.paid"))!;
    await killAndDeliverAgain(created, {
      name: "before recording",
      line: "database",
      when: "query",
      text: created.id,
    });
    await killAndDeliverAgain(paid, {
      name: "after recording",
      line: "database",
      when: "answer",
      text: paid.id,
    });
    for (const event of scene.events) await assertAccepted(await deliver(event)(server.url));
    await assertMatchesStripe(scene, ["garden"], "one round trip");

    // Two states in one second: the event is recorded, and Stripe is asked.
    const whileAsking = [
      ...steps("Stripe", "asking for the state", `GET /v1/subscriptions/${subscription.id}`),
      // Among the parameters of the answer the customer's id stands alone, followed by the next one's length.
      ...steps("database", "storing the answer", `${subscription.customer}\0\0`),
    ];
    for (const step of whileAsking) {
      await scene.pass(120); // events within a minute after an answer lead to another question
      const before = scene.events.length;
      await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
      await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
      const [first, second] = scene.events.slice(before);
      await assertAccepted(await deliver(first)(server.url));
      await killAndDeliverAgain(second, step);
      await assertMatchesStripe(scene, ["garden"], step.name);
    }

    // What is acknowledged is stored.
    await stripe.subscriptions.cancel(subscription.id);
    await assertAccepted(await deliver(scene.events.at(-1)!)(server.url));
    server.kill();
    await server.died;
    await assertMatchesStripe(scene, ["garden"], "after the answer");

    const [log] = await stage.operator`
      select count(*)::int as events, count(*) filter (where outcome in ('pending', 'failed', 'parked'))::int as open
      from billing.stripe_events`;
    assert.deepEqual({ ...log }, { events: scene.events.length, open: 0 });
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
