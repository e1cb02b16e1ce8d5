import { invalidRequest } from "./errors.ts";
import type { FormHash, FormValue } from "./form_encoding.ts";

/**
 * Decodes the JSON body of a v2 request into the shape of a decoded form, so that the same schemas read both. Values
 * become strings; `null` becomes the empty string, which unsets a field. Throws a 400 when the body is not a JSON
 * object.
 */
export function decodeJson(body: string): FormHash {
  const value = parse(body);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return toHash(value);
  throw invalidRequest("The body of the request is not a JSON object.");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body === "" ? "{}" : body);
  } catch {
    throw invalidRequest("The body of the request is not valid JSON.");
  }
}

function toHash(value: object): FormHash {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toFormValue(item)]));
}

function toFormValue(value: unknown): FormValue {
  if (value === null) return "";
  return typeof value === "object" ? toHash(value) : String(value);
}
