/** Random lives of communities, told to the product in random ways. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Event } from "../../packages/stripe-simulator/src/objects/event.ts";
import { quiet } from "./quiet.ts";
import { communities, durationOf, perform, type Step, step } from "./lives.ts";
import { type Scene, type Stage, startScene } from "./scene.ts";
import { comparable, knowledgeOf, truthOf } from "./truth.ts";

/** What becomes of an event on its way. */
interface Fate {
  isLost: boolean;
  /** It arrives after so many further steps. */
  late: number;
  times: number;
  trouble: "none" | "query cut" | "answer cut" | "Stripe away";
  /** Of those that arrive together, the lowest comes first. */
  place: number;
}

interface History {
  steps: Step[];
  /** Of the first event, the second, and so on, and again from the start. */
  fates: Fate[];
  atOnce: boolean;
}

const fate = (canBeLost: boolean): fc.Arbitrary<Fate> =>
  fc.record({
    isLost: canBeLost ? fc.nat({ max: 3 }).map((nth) => nth === 3) : fc.constant(false),
    late: fc.constantFrom(0, 0, 0, 1, 2, 6, 99),
    times: fc.constantFrom(1, 1, 1, 2, 3),
    trouble: fc.constantFrom(
      "none",
      "none",
      "none",
      "none",
      "none",
      "query cut",
      "answer cut",
      "Stripe away",
    ),
    place: fc.nat({ max: 1000 }),
  });

const history = (canBeLost: boolean): fc.Arbitrary<History> =>
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 14 }),
    fates: fc.array(fate(canBeLost), { minLength: 1, maxLength: 40 }),
    atOnce: fc.boolean(),
  });

/**
 * Every event arrives, in whatever order, however often and with whatever trouble: the database then equals Stripe, and a
 * reconciliation finds nothing to do.
 */
export function checkWithoutLoss(stage: Stage, parameters: fc.Parameters<[History]>) {
  return fc.assert(
    fc.asyncProperty(history(false), async (history) => {
      await using scene = await live(stage, history);
      await assertEqual(scene, "before the reconciliation");
      const report = await scene.reconcile();
      for (const found of thingsFound) assert.deepEqual(report[found], [], found);
      await assertEqual(scene, "after the reconciliation");
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
  "unreadable",
  "missingInStripe",
] as const;

/** Some events never arrive: one reconciliation later the database equals Stripe all the same. */
export function checkWithLoss(stage: Stage, parameters: fc.Parameters<[History]>) {
  return fc.assert(
    fc.asyncProperty(history(true), async (history) => {
      await using scene = await live(stage, history);
      await scene.reconcile();
      await assertEqual(scene, "after the reconciliation");
    }),
    { ...parameters, verbose: 1 },
  );
}

/** Lets a history happen, until every event that is not lost has been accepted. It ends in the present. */
async function live(stage: Stage, { steps, fates, atOnce }: History): Promise<Scene> {
  using _ = quiet();
  const startsAt = Math.floor(Date.now() / 1000) - durationOf(steps);
  const scene = await startScene(stage, { communities, startsAt });
  try {
    const underWay: { event: Event; fate: Fate; dueAfter: number }[] = [];
    let seen = 0;
    for (const [index, step] of steps.entries()) {
      await perform(scene, step);
      for (; seen < scene.events.length; seen++) {
        const fate = fates[seen % fates.length];
        if (!fate.isLost) {
          underWay.push({ event: scene.events[seen], fate, dueAfter: index + fate.late });
        }
      }
      const isLast = index === steps.length - 1;
      const due = underWay.filter(({ dueAfter }) => isLast || dueAfter <= index);
      await deliverAll(scene, due.toSorted((a, b) => a.fate.place - b.fate.place), atOnce);
      for (const arrived of due) underWay.splice(underWay.indexOf(arrived), 1);
    }
    return scene;
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

async function deliverAll(scene: Scene, due: { event: Event; fate: Fate }[], atOnce: boolean) {
  const deliveries = due.flatMap(({ event, fate }) =>
    Array.from({ length: fate.times }, () => ({ event, fate }))
  );
  if (atOnce) await Promise.all(deliveries.map(({ event, fate }) => deliver(scene, event, fate)));
  else for (const { event, fate } of deliveries) await deliver(scene, event, fate);
}

/** As Stripe does: until it is accepted. What is in trouble is never accepted, and never refused for good. */
async function deliver(scene: Scene, event: Event, { trouble }: Fate) {
  const { stage: { proxy }, simulator: { faults } } = scene;
  if (trouble === "query cut") proxy.breakNext("query");
  if (trouble === "answer cut") proxy.breakNext("answer");
  if (trouble === "Stripe away") {
    faults.add({ kind: "api_error", target: "GET /v1/*", status: 500, carried_out: false });
  }
  for (let attempt = 1;; attempt++) {
    const response = await inTime(scene.deliver(event), event.type);
    const text = await response.text();
    if (response.status === 200) break;
    assert.equal(response.status, 503, text);
    assert.ok(attempt < 10, `${event.type} is still refused: ${text}`);
  }
  proxy.relent();
  faults.clear();
}

/** Stripe waits some seconds for an answer; here a slow machine has longer. One that never comes is a fault of its own. */
async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} is not answered`)), 60_000);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function assertEqual(scene: Scene, when: string) {
  const truth = truthOf(scene, communities);
  const knowledge = await knowledgeOf(scene);
  assert.deepEqual(comparable(knowledge, truth), comparable(truth, truth), when);
}
