import { z } from "zod";
import { type ErrorDetails, invalidRequest, missingParameter, StripeError } from "./errors.ts";
import type { FormHash } from "./form_encoding.ts";

/*
 * Schemas for the parameters of endpoints. Every value of a form is a string, so each schema defines how the string
 * is read and which of Stripe's errors an invalid one gets.
 */

/** A string that is not empty: Stripe treats an empty value as an attempt to unset the parameter. */
export function text(maximum = 5000) {
  return z.string().superRefine((value, context) => {
    if (value === "") return fail(context, "empty");
    if (value.length > maximum) {
      fail(context, "invalid", `Invalid string: must be at most ${maximum} characters`);
    }
  });
}

/** An integer, within bounds when they are given. */
export function integer(bounds: { min?: number; max?: number } = {}) {
  return z.string().transform((value, context) => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number)) {
      fail(context, "parameter_invalid_integer", `Invalid integer: ${value}`);
      return z.NEVER;
    }
    if (number < (bounds.min ?? -Infinity) || number > (bounds.max ?? Infinity)) {
      const range = `must be between ${bounds.min ?? "-∞"} and ${bounds.max ?? "∞"}`;
      fail(context, "parameter_invalid_integer", `Invalid integer: ${value} (${range})`);
      return z.NEVER;
    }
    return number;
  });
}

/** A non-negative number with up to twelve decimal places. It stays a string. */
export function decimal() {
  return z.string().superRefine((value, context) => {
    if (/^\d+(\.\d{1,12})?$/.test(value)) return;
    fail(context, "invalid", `Invalid decimal: ${value}; must have at most 12 decimal places`);
  });
}

/** Unix time in seconds, as everywhere in v1. */
export const timestamp = () => integer({ min: 0 });

/** A time in ISO 8601, as v2 writes it. The result is Unix time in seconds. */
export function isoTimestamp() {
  return z.string().transform((value, context) => {
    const milliseconds = Date.parse(value);
    if (/^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(milliseconds)) return milliseconds / 1000;
    fail(context, "invalid", `Invalid timestamp: ${value}`);
    return z.NEVER;
  });
}

/** `true` or `false`. Python's `True` and `False` are accepted too. */
export function boolean() {
  return z.string().transform((value, context) => {
    if (/^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
    fail(context, "invalid", `Invalid boolean: ${value}`);
    return z.NEVER;
  });
}

/** Any value or hash. For parameters that are accepted and have no effect. */
export function anything() {
  return z.unknown();
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: Word[]) {
  return z.string().transform((value, context): Word => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    fail(context, "invalid", `Invalid value '${value}': must be one of ${words.join(", ")}`);
    return z.NEVER;
  });
}

/** An absolute http or https URL. It may contain `{CHECKOUT_SESSION_ID}`. */
export function url() {
  return z.string().superRefine((value, context) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return;
    fail(context, "url_invalid", "Not a valid URL");
  });
}

/** A three-letter currency code. The result is in lower case, as Stripe stores it. */
export function currency() {
  return z.string().transform((value, context) => {
    if (!/^[a-z]{3}$/i.test(value)) fail(context, "invalid", `Invalid currency: ${value}`);
    return value.toLowerCase();
  });
}

/** A value that can be unset with an empty string. The result is then `null`. */
export function clearable<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => value === "" ? null : value, schema.nullable());
}

/** An array, sent as `name[0]=…` or `name[]=…`. */
export function list<Schema extends z.ZodType>(item: Schema) {
  return z.preprocess(hashToArray, z.array(item));
}

function hashToArray(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([index]) => !/^\d+$/.test(index))) return value;
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item);
}

/** Metadata: keys of up to 40 characters, values of up to 500. `null` means "remove all keys". */
export function metadata() {
  return clearable(z.record(z.string(), z.string())).superRefine((value, context) => {
    for (const [key, text] of Object.entries(value ?? {})) {
      if (key.length > 40) fail(context, "invalid", "Metadata keys must be at most 40 characters", [key]);
      if (text.length > 500) {
        fail(context, "invalid", "Metadata values must be at most 500 characters", [key]);
      }
    }
  });
}

/** The time filter of lists: a time in seconds, or bounds. */
export function timeFilter() {
  const bound = timestamp().optional();
  return z.union([timestamp(), z.strictObject({ gt: bound, gte: bound, lt: bound, lte: bound })]);
}

/** The parameters of every v1 list (https://docs.stripe.com/api/pagination). */
export const pagination = {
  limit: integer({ min: 1, max: 100 }).default(10),
  starting_after: text().optional(),
  ending_before: text().optional(),
};

type FailureCode = "empty" | "invalid" | "parameter_invalid_integer" | "url_invalid";

function fail(context: z.RefinementCtx, code: FailureCode, message = "", path: string[] = []) {
  context.addIssue({ code: "custom", message, params: { code }, path });
}

/**
 * Reads a decoded form with a schema. Throws the 400 that Stripe answers for the first problem: unknown parameters
 * first, then missing ones, then malformed ones.
 */
export function parseParams<Schema extends z.ZodType>(schema: Schema, form: FormHash): z.output<Schema> {
  const result = schema.safeParse(form, { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const issue = issues.find((issue) => issue.code === "unrecognized_keys") ?? issues.find(isMissing) ??
    issues[0];
  throw toStripeError(issue);
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code !== "custom" && issue.input === undefined;
}

function toStripeError(issue: z.core.$ZodIssue): StripeError {
  const param = nameOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    return unknownParameters(issue.keys.map((key) => nameOf([...issue.path, key])));
  }
  if (issue.code === "custom") return customError(issue, param);
  if (isMissing(issue)) return missingParameter(param);
  return invalidRequest(`Invalid ${param}: the value has the wrong shape`, { param });
}

function customError(issue: z.core.$ZodIssueCustom, param: string): StripeError {
  const code: FailureCode = issue.params?.code;
  if (code === "empty") {
    const message =
      `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a ` +
      `parameter; however '${param}' cannot be unset. You should remove '${param}' from your request or supply a ` +
      `non-empty value.`;
    return invalidRequest(message, { code: "parameter_invalid_empty", param });
  }
  const details: ErrorDetails = code === "invalid" ? { param } : { code, param };
  return invalidRequest(issue.message, details);
}

function unknownParameters(names: string[]): StripeError {
  const message = `Received unknown parameter${names.length > 1 ? "s" : ""}: ${names.join(", ")}`;
  return invalidRequest(message, { code: "parameter_unknown", param: names[0] });
}

/** `["items", 0, "price"]` is `items[0][price]` in a request. */
function nameOf(path: PropertyKey[]): string {
  const [first = "", ...rest] = path.map(String);
  return first + rest.map((part) => `[${part}]`).join("");
}
