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
import { type Scene, startScene, startStage } from "./scene.ts";
import { comparable, knowledgeOf, truthOf } from "./truth.ts";

/** Where a process is killed: before what it sends is heard, or when it was carried out and the answer is on its way. */
interface Step {
  name: string;
  line: "database" | "Stripe";
  when: Break;
  /** What tells the message. */
  text: string;
}

const steps = (line: Step["line"], name: string, text: string): Step[] => [
  { name: `before ${name}`, line, when: "query", text },
  { name: `after ${name}`, line, when: "answer", text },
];

/** A server that dies, and its connections. */
interface Mortal extends AsyncDisposable {
  url: string;
  /** Kills it (SIGKILL) when it comes to this step. */
  killAt(step: Step): void;
  kill(): void;
  died: Promise<unknown>;
}

async function startMortal(databaseUrl: string, stripeUrl: string): Promise<Mortal> {
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
        // It is dead already.
      }
      await process.status;
      await proxies.database[Symbol.asyncDispose]();
      await proxies.Stripe[Symbol.asyncDispose]();
    },
  };
}

/** Asks a server that is going to die: it must not have answered before. */
async function askInVain(mortal: Mortal, ask: (url: string) => Promise<Response>, step: Step) {
  mortal.killAt(step);
  const answer = await ask(mortal.url).then(
    async (response) => `${response.status} ${await response.text()}`,
    () => "no answer",
  );
  assert.equal(answer, "no answer", `killed ${step.name}`);
  await mortal.died;
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

async function assertEqual(scene: Scene, communities: string[], message: string) {
  const truth = truthOf(scene, communities);
  assert.deepEqual(comparable(await knowledgeOf(scene), truth), comparable(truth, truth), message);
}

Deno.test("a server killed at any step of a checkout leaves one customer and one open session to the next click", async () => {
  const all: Step[] = [
    // A query is prepared once, so its text is not in every message; what it is about is. Each step has its community.
    { name: "before asking what is known", line: "database", when: "query", text: "before asking" },
    { name: "after asking what is known", line: "database", when: "answer", text: "after asking" },
    ...steps("Stripe", "making the customer", "POST /v1/customers HTTP"),
    ...steps("database", "linking the customer", "cus_"),
    ...steps("database", "beginning the attempt", '{"customer":"cus_'),
    ...steps("Stripe", "making the session", "POST /v1/checkout/sessions HTTP"),
    ...steps("database", "noting the session", "cs_test_"),
  ];
  const communities = all.map(({ name }) => name);
  await using stage = await startStage();
  await using scene = await startScene(stage, { communities });
  let mortal = await startMortal(stage.url, scene.simulator.url);
  try {
    for (const step of all) {
      await askInVain(mortal, click(step.name), step);
      await mortal[Symbol.asyncDispose]();
      mortal = await startMortal(stage.url, scene.simulator.url);

      const response = await click(step.name)(mortal.url);
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
    for (const event of scene.events) await assertAccepted(await deliver(event)(mortal.url));
    await assertEqual(scene, communities, "everybody has what they paid for");
  } finally {
    await mortal[Symbol.asyncDispose]();
  }
});

Deno.test("a server killed at any step of a webhook loses nothing and applies nothing twice", async () => {
  await using stage = await startStage();
  await using scene = await startScene(stage, { communities: ["garden"] });
  const { stripe, simulator } = scene;
  let mortal = await startMortal(stage.url, simulator.url);
  const killAndDeliverAgain = async (event: Event, step: Step) => {
    await askInVain(mortal, deliver(event), step);
    await mortal[Symbol.asyncDispose]();
    mortal = await startMortal(stage.url, simulator.url);
    await assertAccepted(await deliver(event)(mortal.url));
  };
  try {
    const session = await (await click("garden")(mortal.url)).json();
    await pay(simulator, session.sessionId);
    const [subscription] = liveSubscriptions(scene, "garden");

    // One round trip. Each event is a different one, because each is new only once.
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
    for (const event of scene.events) await assertAccepted(await deliver(event)(mortal.url));
    await assertEqual(scene, ["garden"], "one round trip");

    // Two states in one second: Stripe is asked while the customer is held.
    const whileHeld = [
      ...steps("Stripe", "asking Stripe", `GET /v1/subscriptions/${subscription.id}`),
      ...steps("database", "committing Stripe's answer", "commit\0"),
    ];
    for (const step of whileHeld) {
      await scene.pass(120); // after a fetch, events of the next minute are settled by another
      const before = scene.events.length;
      await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
      await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
      const [first, second] = scene.events.slice(before);
      await assertAccepted(await deliver(first)(mortal.url));
      await killAndDeliverAgain(second, step);
      await assertEqual(scene, ["garden"], step.name);
    }

    // Acknowledged is durable.
    await stripe.subscriptions.cancel(subscription.id);
    await assertAccepted(await deliver(scene.events.at(-1)!)(mortal.url));
    mortal.kill();
    await mortal.died;
    await assertEqual(scene, ["garden"], "after the answer");

    const ledger = await stage.operator`
      select count(*)::int as events, count(*) filter (where outcome in ('pending', 'failed', 'parked'))::int as open
      from billing.stripe_events`;
    assert.deepEqual([...ledger], [{ events: scene.events.length, open: 0 }]);
  } finally {
    await mortal[Symbol.asyncDispose]();
  }
});
