import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import fc from "fast-check";
import { webhookHandler } from "../../billing/http/webhook_handler.ts";
import { pay } from "@dues/stripe-simulator/testing";
import { delivery, secrets } from "./stripe_stand_in.ts";
import { quiet } from "../support/quiet.ts";
import { type Scene, startScene, startStage } from "./scene.ts";

/** Payloads of the simulator, one of each event type in a short history. */
async function realPayloads(scene: Scene): Promise<string[]> {
  const { stripe, simulator } = scene;
  const { sessionId } = await scene.click("garden", "pro");
  await pay(simulator, sessionId);
  const [subscription] = simulator.account.subscriptions.oldestFirst();
  await scene.pass(8 * 86_400);
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await stripe.customers.update(String(subscription.customer), { name: "Garden" });
  await stripe.customers.del(String(subscription.customer));
  const byType = new Map(scene.events.map((event) => [event.type, JSON.stringify(event)]));
  return [...byType.values()];
}

/** Values to put in place of others. */
const oddity = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    "",
    "\u0000",
    "\ud800",
    "x".repeat(5000),
    -1,
    0,
    1.5,
    1e15,
    1e300,
    Number.MAX_SAFE_INTEGER,
    [],
    {},
    [[]],
    { object: "list", data: [] },
    { __proto__: null, toString: 1 },
    "sub_x",
    "2026-01-01",
    "'; drop table plans; --",
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Changes a value somewhere inside a body. */
const treeMutation = fc.record({
  /** Within Stripe's object, rather than anywhere in the event. */
  isInObject: fc.boolean(),
  path: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
  how: fc.constantFrom("replace", "remove", "rename", "wrap"),
  value: oddity,
});

/** Changes the text itself. */
const textMutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("cut off", "leave out", "insert"),
  text: fc.constantFrom(
    "\u0000",
    "\\u0000",
    "{",
    "}",
    '"',
    ",",
    "\\",
    "1e400",
    "🦄",
    "\ufeff",
    "v2.core.event",
  ),
});

const corpus = fc.record({
  nth: fc.nat(),
  tree: fc.array(treeMutation, { maxLength: 3 }),
  text: fc.option(textMutation, { freq: 4 }),
  signature: fc.constantFrom("good", "good", "good", "none", "foreign", "old", "nonsense"),
});
type Mutation = typeof corpus extends fc.Arbitrary<infer T> ? T : never;

function mutate(payload: string, id: string, { tree, text }: Mutation): string {
  const event = { ...JSON.parse(payload), id };
  for (const mutation of tree) mutateTree(event, mutation);
  const body = JSON.stringify(event);
  return text ? mutateText(body, text) : body;
}

function mutateTree(root: object, { isInObject, path, how, value }: Mutation["tree"][number]) {
  let node = root as Record<string, unknown>;
  const { data } = root as { data?: { object?: unknown } };
  if (isInObject && typeof data?.object === "object" && data.object !== null) {
    node = data.object as Record<string, unknown>;
  }
  for (const [depth, step] of path.entries()) {
    const keys = Object.keys(node);
    if (keys.length === 0) return;
    const key = keys[step % keys.length];
    const child = node[key];
    if (depth < path.length - 1 && typeof child === "object" && child !== null) {
      node = child as Record<string, unknown>;
      continue;
    }
    if (how === "replace") node[key] = value;
    else if (how === "wrap") node[key] = [child];
    else delete node[key];
    if (how === "rename") node[`${key}_`] = child;
    return;
  }
}

function mutateText(body: string, { at, how, text }: NonNullable<Mutation["text"]>): string {
  const place = at % body.length;
  if (how === "cut off") return body.slice(0, place);
  return body.slice(0, place) + (how === "insert" ? text : "") +
    body.slice(place + (how === "insert" ? 0 : 1));
}

async function request(body: string, signature: Mutation["signature"]): Promise<Request> {
  const timestamp = Math.floor(Date.now() / 1000);
  if (signature === "foreign") return await delivery(body, { secret: "whsec_foreign" });
  if (signature === "old") return await delivery(body, { timestamp: timestamp - 10_000 });
  if (signature === "nonsense") {
    return await delivery(body, {
      headers: { "stripe-signature": `t=${body.slice(0, 9).replace(/[^\x20-\x7e]/g, "")},v1=` },
    });
  }
  const signed = await delivery(body);
  if (signature === "none") signed.headers.delete("stripe-signature");
  return signed;
}

/** Bytes of the heap after a garbage collection. */
function memoryInUse(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}

const MUTATIONS = 2000;
const MEGABYTE = 1024 * 1024;

Deno.test("the webhook refuses or records thousands of malformed bodies without a failure or growing memory", async () => {
  using _ = quiet();
  await using stage = await startStage();
  await using scene = await startScene(stage, { communities: ["garden"] });
  const handle = webhookHandler({ ...scene.deps, secrets });
  const payloads = await realPayloads(scene);
  const answers = new Map<number, number>();
  let count = 0;
  const check = (numRuns: number) =>
    fc.assert(
      fc.asyncProperty(corpus, async (mutation) => {
        const body = mutate(payloads[mutation.nth % payloads.length], `evt_malformed_${count++}`, mutation);
        const response = await handle(await request(body, mutation.signature));
        const text = await response.text();
        answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
        const allowed = mutation.signature === "good" ? [200, 400, 413, 422] : [400, 413];
        assert.ok(allowed.includes(response.status), `${response.status} ${text}\n${body}`);
      }),
      { seed: 1_795_000_000 + numRuns, numRuns },
    );

  await check(MUTATIONS / 2);
  const before = memoryInUse();
  await check(MUTATIONS);
  const growth = memoryInUse() - before;
  assert.ok(growth < 4 * MEGABYTE, `${growth} bytes more after ${MUTATIONS} more`);
  // What cannot be read is asked of Stripe, so few bodies are not understood in the end.
  for (const [status, atLeast] of [[200, 40], [400, 40], [422, 1]]) {
    assert.ok((answers.get(status) ?? 0) >= atLeast, `${status}: ${answers.get(status)}`);
  }

  const intact = await handle(await delivery({ ...JSON.parse(payloads[0]), id: "evt_intact" }));
  assert.equal(intact.status, 200, await intact.text());
});
