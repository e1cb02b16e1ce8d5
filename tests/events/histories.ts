/** Random histories of communities, whose events are delivered to the product in random ways. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Event } from "@dues/stripe-simulator";
import { quiet } from "../support/quiet.ts";
import { communities, durationOf, perform, type Step, step } from "./lives.ts";
import { type Scene, type Stage, startScene } from "./scene.ts";
import { assertMatchesStripe } from "./truth.ts";

/** How an event is delivered. */
interface Delivery {
  isLost: boolean;
  /** It is delivered after so many further steps. */
  late: number;
  times: number;
  trouble: "none" | "query cut" | "answer cut" | "Stripe away" | "Stripe slow" | "Stripe silent";
  /** The API version of the endpoint; null for the SDK's. */
  version: string | null;
  /** Of those that are due together, the lowest comes first. */
  place: number;
}

interface History {
  steps: Step[];
  /** Of the first event, the second, and so on; repeated from the start when there are more events. */
  deliveries: Delivery[];
  atOnce: boolean;
}

const delivery = (canBeLost: boolean): fc.Arbitrary<Delivery> =>
  fc.record({
    isLost: canBeLost ? fc.nat({ max: 3 }).map((nth) => nth === 3) : fc.constant(false),
    late: fc.constantFrom(0, 0, 0, 1, 2, 6, 99),
    times: fc.constantFrom(1, 1, 1, 2, 3),
    trouble: fc.oneof(
      {
        weight: 80,
        arbitrary: fc.constantFrom<Delivery["trouble"]>(
          "none",
          "none",
          "none",
          "none",
          "none",
          "query cut",
          "answer cut",
          "Stripe away",
          "Stripe slow",
        ),
      },
      // Each waits until the webhook gives up asking.
      { weight: 1, arbitrary: fc.constant<Delivery["trouble"]>("Stripe silent") },
    ),
    version: fc.constantFrom(
      null,
      null,
      null,
      null,
      "2024-06-20",
      "2020-08-27",
      "2025-03-31.basil",
      "2025-09-30.clover",
    ),
    place: fc.nat({ max: 1000 }),
  });

const history = (canBeLost: boolean): fc.Arbitrary<History> =>
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 14 }),
    deliveries: fc.array(delivery(canBeLost), { minLength: 1, maxLength: 40 }),
    atOnce: fc.boolean(),
  });

/**
 * When every event is delivered, in any order, any number of times and with any failure, and what was left open is tried
 * again, the database matches Stripe and a reconciliation finds nothing.
 */
export function checkWithoutLoss(stage: Stage, parameters: fc.Parameters<[History]>) {
  return fc.assert(
    fc.asyncProperty(history(false), async (history) => {
      await using scene = await live(stage, history);
      await scene.settle();
      await assertMatchesStripe(scene, communities, "before the reconciliation");
      const report = await scene.reconcile();
      for (const found of thingsFound) assert.deepEqual(report[found], [], found);
      await assertMatchesStripe(scene, communities, "after the reconciliation");
    }),
    { ...parameters, verbose: 1 },
  );
}

const thingsFound = [
  "missedEvents",
  "processedEvents",
  "linkedCustomers",
  "forgottenCustomers",
  "repairs",
  "failedObjects",
  "failedParts",
  "missingInStripe",
] as const;

/** When some events are never delivered, the database matches Stripe after one reconciliation. */
export function checkWithLoss(stage: Stage, parameters: fc.Parameters<[History]>) {
  return fc.assert(
    fc.asyncProperty(history(true), async (history) => {
      await using scene = await live(stage, history);
      await scene.reconcile();
      await assertMatchesStripe(scene, communities, "after the reconciliation");
    }),
    { ...parameters, verbose: 1 },
  );
}

/** Runs a history until every event that is not lost is accepted. It ends at the present time. */
async function live(stage: Stage, { steps, deliveries, atOnce }: History): Promise<Scene> {
  using _ = quiet();
  const startsAt = Math.floor(Date.now() / 1000) - durationOf(steps);
  const scene = await startScene(stage, { communities, startsAt });
  try {
    const underWay: { event: Event; delivery: Delivery; dueAfter: number }[] = [];
    let seen = 0;
    for (const [index, step] of steps.entries()) {
      await perform(scene, step);
      for (; seen < scene.events.length; seen++) {
        const delivery = deliveries[seen % deliveries.length];
        if (!delivery.isLost) {
          underWay.push({ event: scene.events[seen], delivery, dueAfter: index + delivery.late });
        }
      }
      const isLast = index === steps.length - 1;
      const due = underWay.filter(({ dueAfter }) => isLast || dueAfter <= index);
      await deliverAll(scene, due.toSorted((a, b) => a.delivery.place - b.delivery.place), atOnce);
      for (const arrived of due) underWay.splice(underWay.indexOf(arrived), 1);
    }
    return scene;
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

async function deliverAll(scene: Scene, due: { event: Event; delivery: Delivery }[], atOnce: boolean) {
  const deliveries = due.flatMap(({ event, delivery }) =>
    Array.from({ length: delivery.times }, () => ({ event, delivery }))
  );
  if (atOnce) await Promise.all(deliveries.map(({ event, delivery }) => deliver(scene, event, delivery)));
  else for (const { event, delivery } of deliveries) await deliver(scene, event, delivery);
}

/** Delivers as Stripe does, until it is accepted. A failure is answered 503, never 200 and never a refusal. */
async function deliver(scene: Scene, event: Event, { trouble, version }: Delivery) {
  const { stage: { proxy }, simulator: { faults } } = scene;
  if (trouble === "query cut") proxy.breakNext("query");
  if (trouble === "answer cut") proxy.breakNext("answer");
  if (trouble === "Stripe away") {
    faults.add({ kind: "api_error", target: "GET /v1/*", status: 500, carried_out: false });
  }
  if (trouble === "Stripe slow") faults.add({ kind: "api_delay", target: "GET /v1/*", ms: 30 });
  if (trouble === "Stripe silent") {
    faults.add({ kind: "api_silence", target: "GET /v1/*", carried_out: false, headers: false });
  }
  for (let attempt = 1;; attempt++) {
    const response = await inTime(scene.deliver(event, version ?? undefined), event.type);
    const text = await response.text();
    if (response.status === 200) break;
    assert.equal(response.status, 503, text);
    assert.ok(attempt < 10, `${event.type} is still refused: ${text}`);
  }
  proxy.cancelBreak();
  faults.clear();
}

/** Rejects when there is no answer within a minute. Stripe waits some seconds; a slow machine gets more here. */
async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} is not answered`)), 60_000);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
