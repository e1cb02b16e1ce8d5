import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { FaultsError } from "../errors.ts";
import { chargeableStep } from "../money/minor_units.ts";
import { lineOf } from "./toml_lines.ts";

/**
 * Reads `plans.toml`: what the plans cost and allow. `deno task stripe:setup` writes it to Stripe and the database.
 */
const code = (longest: number) =>
  z.string().regex(new RegExp(`^[a-z][a-z0-9_]{0,${longest - 1}}$`), {
    error: `a name of at most ${longest} small letters, digits and _, beginning with a letter`,
  });
const text = (longest: number) =>
  z.string(`a text`).min(1, "not empty").max(longest, `at most ${longest} long`);
const count = (largest = Number.MAX_SAFE_INTEGER) =>
  z.int("a whole number").min(0, "0 or more").max(largest, `at most ${largest}`);

const featureSchema = z.strictObject({
  name: text(80),
  unit: text(40),
  meter_event_name: text(100).optional(),
  included_quantity: count().default(0),
  unit_price_cents: z.number("a number of cents").min(0, "0 or more").optional(),
});

const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86400 };
const LONGEST_SECONDS = 366 * SECONDS.day;
const windowHelp =
  '"30 days" or another number of seconds, minutes, hours or days from 10 seconds to 366 days, ' +
  '"calendar month", or "at once"';

/** Transforms `window` to the columns `quota_window` and `period` of table `plan_limits`. */
const windowSchema = z.string(windowHelp).transform((written, ctx) => {
  if (written === "at once") return { interval: "0", period: "rolling" as const };
  if (written === "calendar month") return { interval: "1 month", period: "calendar_month" as const };
  const [, amount, unit] = written.match(/^(\d{1,9}) (second|minute|hour|day)s?$/) ?? [];
  const seconds = Number(amount) * SECONDS[unit as keyof typeof SECONDS];
  if (seconds >= 10 && seconds <= LONGEST_SECONDS) {
    return { interval: `${amount} ${unit}s`, period: "rolling" as const };
  }
  ctx.addIssue(windowHelp);
  return z.NEVER;
});

const limitSchema = z.strictObject({
  feature: z.string("the name of a feature"),
  quota: count(),
  window: windowSchema,
});

const planSchema = z.strictObject({
  name: text(80),
  rank: count(2 ** 31 - 1),
  price_cents: count(2 ** 31 - 1).default(0),
  billing_interval: z.enum(["month", "year"], '"month" or "year"').optional(),
  trial_days: count(730).default(0),
  grace_days: count(365).default(7),
  is_default: z.boolean("true or false").default(false),
  is_active: z.boolean("true or false").default(true),
  limits: z.array(limitSchema).default([]),
});

const fileSchema = z.strictObject({
  currency: z.string("a currency").regex(/^[a-z]{3}$/, 'a currency as Stripe writes it: "usd"'),
  features: z.record(code(63), featureSchema),
  plans: z.record(code(31), planSchema),
}).transform(({ currency, features, plans }) => ({
  currency,
  features: Object.entries(features).map(([code, feature]) => ({ code, ...feature })),
  plans: Object.entries(plans).map(([code, plan]) => ({ code, ...plan })),
})).superRefine(({ currency, features, plans }, ctx) => {
  for (
    const fault of [
      ...crossFaults(features, plans),
      ...plans.flatMap((plan) => amountFaults(plan, currency)),
    ]
  ) {
    ctx.addIssue({ code: "custom", ...fault });
  }
});

export type PlansFile = z.output<typeof fileSchema>;
export type PlanInFile = PlansFile["plans"][number];
export type FeatureInFile = PlansFile["features"][number];

type Fault = { path: PropertyKey[]; message: string };

/** Faults between parts of the file that are each valid by themselves. */
function crossFaults(features: FeatureInFile[], plans: PlanInFile[]): Fault[] {
  const defaults = plans.filter((plan) => plan.is_default);
  return [
    ...(defaults.length === 1 ? [] : [{
      path: ["plans", ...(defaults.length > 1 ? [defaults[1].code, "is_default"] : [])],
      message: "exactly one plan must have is_default = true: the plan of communities without a subscription",
    }]),
    ...features.flatMap((feature, index) => featureFaults(feature, features.slice(0, index))),
    ...plans.flatMap((plan, index) => [
      ...planFaults(plan, plans.slice(0, index)),
      ...limitFaults(plan, features),
    ]),
  ];
}

function featureFaults(feature: FeatureInFile, before: FeatureInFile[]): Fault[] {
  const at = (key: string, message: string) => ({ path: ["features", feature.code, key], message });
  const { meter_event_name: meter, unit_price_cents: price, included_quantity: included } = feature;
  const faults: Fault[] = [];
  if (meter !== undefined && price === undefined) {
    faults.push(at("unit_price_cents", "a metered feature needs a price for each unit"));
  }
  if (meter === undefined && (price !== undefined || included > 0)) {
    const key = price !== undefined ? "unit_price_cents" : "included_quantity";
    faults.push(at(key, "only a metered feature has one: it needs a meter_event_name as well"));
  }
  const twin = before.find((other) => meter !== undefined && other.meter_event_name === meter);
  if (twin) faults.push(at("meter_event_name", `is already the meter of ${twin.code}`));
  return faults;
}

function planFaults(plan: PlanInFile, before: PlanInFile[]): Fault[] {
  const at = (key: string, message: string) => ({ path: ["plans", plan.code, key], message });
  const isPaid = plan.price_cents > 0;
  const faults: Fault[] = [];
  if (isPaid && !plan.billing_interval) {
    faults.push(at("billing_interval", 'a plan with a price needs "month" or "year"'));
  }
  if (!isPaid && plan.billing_interval) faults.push(at("billing_interval", "a free plan has none"));
  if (!isPaid && plan.trial_days > 0) faults.push(at("trial_days", "a free plan has none"));
  if (plan.is_default && isPaid) faults.push(at("is_default", "the default plan has no price"));
  if (plan.is_default && !plan.is_active) faults.push(at("is_active", "the default plan must be active"));
  const twin = before.find(({ rank }) => rank === plan.rank);
  if (twin) faults.push(at("rank", `is the rank of ${twin.code} already`));
  return faults;
}

/** Amounts that Stripe could not charge. */
function amountFaults({ code, price_cents }: PlanInFile, currency: string): Fault[] {
  const step = chargeableStep(currency);
  if (price_cents % step === 0) return [];
  const message = `${currency} is charged in multiples of ${step} of Stripe's smallest unit only`;
  return [{ path: ["plans", code, "price_cents"], message }];
}

function limitFaults(plan: PlanInFile, features: FeatureInFile[]): Fault[] {
  const limits = ["plans", plan.code, "limits"];
  const keyOf = ({ feature, window }: PlanInFile["limits"][number]) =>
    `${feature} ${window.interval} ${window.period}`;
  return [
    ...plan.limits.flatMap((limit, index) => [
      ...(features.some(({ code }) => code === limit.feature) ? [] : [{
        path: [...limits, index, "feature"],
        message: `there is no feature "${limit.feature}" in this file`,
      }]),
      ...(plan.limits.findIndex((other) => keyOf(other) === keyOf(limit)) === index ? [] : [{
        path: [...limits, index],
        message: `the plan already limits ${limit.feature} in that window`,
      }]),
    ]),
    ...features.filter(({ code }) => !plan.limits.some(({ feature }) => feature === code)).map((
      { code },
    ) => ({
      path: ["plans", plan.code],
      message: `needs a limit for the feature ${code}`,
    })),
  ];
}

/** The plans file cannot be used. Each fault names its line in the file. */
export class PlansFileError extends FaultsError {
  override name = "PlansFileError";

  constructor(faults: string[], options?: ErrorOptions) {
    super(faults, { heading: "The plans cannot be used:", ...options });
  }
}

/** Parses the text of a plans file; `name` is its name in messages. Throws `PlansFileError` with every fault. */
export function readPlansFile(text: string, name = "plans.toml"): PlansFile {
  const result = fileSchema.safeParse(parseToml(text, name), { reportInput: true });
  if (result.success) return result.data;
  throw new PlansFileError(
    result.error.issues.flatMap(faultsOf)
      .map(({ path, message }) => ({ line: lineOf(text, path), path, message }))
      .sort((a, b) => a.line - b.line)
      .map(({ line, path, message }) =>
        `${name}:${line}: ${path.map(String).join(".") || "the file"}: ${message}`
      ),
  );
}

function parseToml(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new PlansFileError([`${name}:${error.line}:${error.column}: ${what}`], { cause: error });
  }
}

/** The faults that a zod issue stands for. */
function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...issue.path, key], message: "is not a setting" }));
    case "invalid_key":
      return [{ path: issue.path, message: `should be ${issue.issues[0]?.message}` }];
    case "custom":
      // The message of crossFaults is a sentence; that of windowSchema says what is expected.
      return [{
        path: issue.path,
        message: issue.message === windowHelp ? `should be ${windowHelp}` : issue.message,
      }];
    default:
      return [{
        path: issue.path,
        message: issue.input === undefined && issue.code === "invalid_type"
          ? `is missing or should be ${issue.message}`
          : `should be ${issue.message}`,
      }];
  }
}
