// Random sequences of uses, releases, waits and changes of plans and limits, on a real database and in a simple model.
import assert from "node:assert/strict";
import fc from "fast-check";
import { type BillingError } from "../../billing/errors.ts";
import { type Consumption, requireQuota } from "../../billing/quota/quota.ts";
import { type QuotaRig, sessionOf, startQuotaRig, wrongCounters } from "./rig.ts";

const FEATURE = "ai_chat_message";
const BEGIN = Date.UTC(2026, 5, 30, 23, 50);

interface Limit {
  windowSeconds: number;
  period: "rolling" | "calendar_month";
  quota: number;
}
type Refusal = Limit & { resetsAt: string | null };
type PlanCode = "free" | "pro";

/** Short windows, and a month that ends soon after BEGIN, so that a sequence of an hour crosses the end of each. */
const newLimits = (): Record<PlanCode, Limit[]> => ({
  free: [
    { windowSeconds: 100, period: "rolling", quota: 5 },
    { windowSeconds: 2_592_000, period: "calendar_month", quota: 30 },
  ],
  pro: [
    { windowSeconds: 100, period: "rolling", quota: 12 },
    { windowSeconds: 1000, period: "rolling", quota: 40 },
  ],
});

interface Use {
  at: number;
  quantity: number;
  released: number;
  key?: string;
  metered: boolean;
  consumption: Consumption;
}

/** All uses of a community. The model adds them up; it has no counters, buckets or locks. */
class Model {
  now = BEGIN;
  plan: PlanCode = "free";
  limits = newLimits();
  uses: Use[] = [];

  /** The lower and the upper bound of what counts as used in a limit's window, at a time. */
  used({ windowSeconds, period }: Limit, at = this.now): [least: number, most: number] {
    const month = new Date(at);
    const start = period === "calendar_month"
      ? Date.UTC(month.getUTCFullYear(), month.getUTCMonth()) - 1
      : at - windowSeconds * 1000;
    const slack = period === "calendar_month" ? 0 : windowSeconds * 10; // a hundredth of the window, in milliseconds
    const since = (from: number) =>
      this.uses.filter((use) => use.at > from).reduce((sum, use) => sum + use.quantity - use.released, 0);
    return [since(start), since(start - slack)];
  }

  knows(key: string) {
    return this.uses.find((use) => use.key === key && use.released < use.quantity);
  }
}

type Real = { rig: QuotaRig; communityId: string };
type Command = fc.AsyncCommand<Model, Real>;

class UseFeature implements Command {
  constructor(readonly quantity: number, readonly key: string | undefined) {}
  check = () => true;

  async run(model: Model, { rig, communityId }: Real) {
    const limits = model.limits[model.plan];
    const before = limits.map((limit) => model.used(limit));
    const known = this.key === undefined ? undefined : model.knows(this.key);
    const options = { quantity: this.quantity, idempotencyKey: this.key };
    let consumption: Consumption;
    try {
      consumption = await requireQuota(rig, sessionOf(communityId), FEATURE, options);
    } catch (error) {
      const { code, members } = error as BillingError;
      if (code === "idempotency_key_reused") {
        assert.ok(known && known.quantity !== this.quantity, "the key was used with another quantity");
        return;
      }
      assert.equal(code, "quota_exceeded", String(error));
      assert.equal(known, undefined, "a repeat is never refused");
      this.#checkRefusal(model, members as unknown as Refusal);
      return;
    }

    assert.equal(consumption.repeated, known !== undefined, "a known key is a repeat");
    const added = known ? 0 : this.quantity;
    limits.forEach((limit, i) => {
      const [least, most] = before[i];
      if (!known) assert.ok(least + added <= limit.quota, "never above the quota");
      const standing = consumption.limits.find(({ windowSeconds, period }) =>
        windowSeconds === limit.windowSeconds && period === limit.period
      )!;
      assert.ok(
        least + added <= standing.used && standing.used <= most + added,
        "used is within the model's bounds",
      );
    });
    if (!known) {
      const { now: at, plan } = model;
      model.uses.push({
        at,
        quantity: this.quantity,
        released: 0,
        key: this.key,
        metered: plan === "pro",
        consumption,
      });
    }
  }

  #checkRefusal(model: Model, { windowSeconds, period, resetsAt }: Refusal) {
    const limits = model.limits[model.plan];
    const refusing = limits.find((limit) =>
      limit.windowSeconds === windowSeconds && limit.period === period
    )!;
    const tooMany = (limit: Limit, at?: number) => model.used(limit, at)[1] + this.quantity > limit.quota;
    assert.ok(tooMany(refusing), "a use is refused only when the window has no room");
    assert.equal(
      resetsAt === null,
      limits.some(({ quota }) => this.quantity > quota),
      "resetsAt is null only when the quantity never fits",
    );
    // One bucket later the model's slack is over as well.
    if (resetsAt !== null) {
      const then = Date.parse(resetsAt) + windowSeconds * 10;
      assert.ok(!limits.some((limit) => tooMany(limit, then)), "the quantity fits at resetsAt");
    }
  }

  toString = () => `use(${this.quantity}${this.key ? `, ${this.key}` : ""})`;
}

class GiveBack implements Command {
  constructor(readonly nth: number, readonly quantity: number | undefined) {}
  check = (model: Readonly<Model>) => model.uses.length > 0;

  async run(model: Model) {
    const use = model.uses[this.nth % model.uses.length];
    const expected = Math.min(use.quantity - use.released, this.quantity ?? Infinity);
    assert.equal(await use.consumption.release(this.quantity), expected);
    use.released += expected;
  }
  toString = () => `giveBack(${this.nth}, ${this.quantity})`;
}

class Wait implements Command {
  constructor(readonly milliseconds: number) {}
  check = () => true;

  async run(model: Model, { rig }: Real) {
    model.now += this.milliseconds;
    await rig.stopClockAt(new Date(model.now));
  }
  toString = () => `wait(${this.milliseconds})`;
}

class ChangePlan implements Command {
  constructor(readonly plan: PlanCode) {}
  check = () => true;

  async run(model: Model, { rig, communityId }: Real) {
    model.plan = this.plan;
    await rig.operator`
      update public.communities set current_plan_id = (select id from public.plans where code = ${this.plan})
      where id = ${communityId}`;
  }
  toString = () => `changePlan(${this.plan})`;
}

class EditLimit implements Command {
  constructor(readonly plan: PlanCode, readonly quota: number) {}
  check = () => true;

  async run(model: Model, { rig }: Real) {
    model.limits[this.plan][0].quota = this.quota;
    await rig.setLimit(this.plan, FEATURE, this.quota, "100 seconds");
  }
  toString = () => `editLimit(${this.plan}, ${this.quota})`;
}

class RebuildCounters implements Command {
  check = () => true;

  async run(_: Model, { rig, communityId }: Real) {
    await rig.operator`select billing.rebuild_usage_counters(${communityId}, ${FEATURE})`;
  }
  toString = () => "rebuildCounters()";
}

const plan = fc.constantFrom<PlanCode>("free", "pro");
const quantity = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(13, 1_000_000, Number.MAX_SAFE_INTEGER) },
);
const use = fc.tuple(
  quantity,
  fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined, freq: 3 }),
).map(([quantity, key]) => new UseFeature(quantity, key));
const wait = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  // About the length of a window.
  fc.integer({ min: 99_000, max: 101_500 }),
  fc.integer({ min: 990_000, max: 1_015_000 }),
  fc.integer({ min: 0, max: 1_500_000 }),
  // The clock is set back.
  fc.integer({ min: -20_000, max: -1 }),
).map((milliseconds) => new Wait(milliseconds));
const giveBack = fc.tuple(fc.nat(50), fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }))
  .map(([nth, quantity]) => new GiveBack(nth, quantity));

const sequence = fc.commands([
  use,
  use,
  use,
  wait,
  giveBack,
  plan.map((plan) => new ChangePlan(plan)),
  fc.tuple(plan, fc.integer({ min: 0, max: 15 })).map(([plan, limit]) => new EditLimit(plan, limit)),
  fc.constant(new RebuildCounters()),
], { maxCommands: 60, size: "max" });

async function prepare(rig: QuotaRig) {
  await rig.operator`
    update public.features set meter_event_name = 'dues_message' where code = ${FEATURE}`;
  await rig.operator`
    delete from public.plan_limits where feature = ${FEATURE}`;
  await rig.operator`
    insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
    select p.id, ${FEATURE}, v.quota_window, v.period, 30
    from public.plans p join (values
      ('free', interval '100 seconds', 'rolling'), ('free', interval '1 month', 'calendar_month'),
      ('pro', interval '100 seconds', 'rolling'), ('pro', interval '1000 seconds', 'rolling'))
      as v (plan, quota_window, period) on v.plan = p.code`;
}

async function begin(rig: QuotaRig, communityId: string, { limits, now }: Model) {
  await rig.addCommunity(communityId);
  await rig.operator`
    update public.communities set stripe_customer_id = ${`cus_${communityId}`} where id = ${communityId}`;
  await rig.stopClockAt(new Date(now));
  for (const [plan, list] of Object.entries(limits)) {
    for (const { windowSeconds, period, quota } of list) {
      await rig.operator`
        update public.plan_limits l set quota = ${quota} from public.plans p
        where p.id = l.plan_id and p.code = ${plan} and l.feature = ${FEATURE}
          and l.window_seconds = ${windowSeconds} and l.period = ${period}`;
    }
  }
}

Deno.test("consume_quota and release_quota agree with a model in random sequences, also when the clock is set back", async () => {
  await using rig = await startQuotaRig({ connections: 1 });
  await prepare(rig);
  let sequences = 0;
  await fc.assert(
    fc.asyncProperty(sequence, async (commands) => {
      const model = new Model();
      const communityId = `community-${++sequences}`;
      await begin(rig, communityId, model);
      await fc.asyncModelRun(() => ({ model, real: { rig, communityId } }), commands);

      assert.deepEqual(await wrongCounters(rig, communityId), []);
      const [{ reported }] = await rig.operator`
        select coalesce(sum(quantity), 0)::int as reported from billing.usage_reports
        where community_id = ${communityId}`;
      const billed = model.uses.filter(({ metered }) => metered)
        .reduce((sum, { quantity, released }) => sum + quantity - released, 0);
      assert.equal(reported, billed, "the usage reports add up to the use on the paid plan");
    }),
    { numRuns: 60 },
  );
});
