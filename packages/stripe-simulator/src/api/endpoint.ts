import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { FormHash, FormValue } from "../wire/form_encoding.ts";
import { list, parseParams, text } from "../wire/params.ts";

/** The arguments of an endpoint. The parameters have passed its schema. */
export interface Call<Params> {
  account: Account;
  change: Change;
  params: Params;
  /** The id in the path, or an empty string. Several ids are joined by `/`. */
  id: string;
}

/** A validated request that can be run. */
export interface PreparedCall {
  expand: string[];
  run(change: Change, id: string): object;
}

/** One method and path of the API. */
export interface Endpoint {
  method: string;
  /** The segments of the path. `:id` matches any id. */
  segments: string[];
  /** The names of its parameters. */
  params: string[];
  prepare(form: FormHash): PreparedCall;
}

type Route = `${"GET" | "POST" | "DELETE"} /${"v1" | "v2"}/${string}`;

const expandParam = { expand: list(text()).default([]) };

/**
 * Defines an endpoint: its route, its parameters and its implementation. Every endpoint also accepts `expand[]`. The
 * parameters are validated before anything runs.
 */
export function endpoint<Shape extends z.ZodRawShape>(
  route: Route,
  shape: Shape,
  work: (call: Call<z.output<z.ZodObject<Shape>>>) => object,
): Endpoint {
  const [method, path] = route.split(" ");
  const schema = z.strictObject(shape);
  const expansion = z.object(expandParam);
  return {
    method,
    segments: segmentsOf(path),
    params: Object.keys(shape),
    prepare(form) {
      const { expand: _, ...own } = form;
      const params = parseParams(schema, own);
      const { expand } = parseParams(expansion, form);
      return {
        expand,
        run(change, id) {
          const { account } = change;
          if (method === "GET") checkCustomerFilter(account, form.customer);
          return work({ account, change, params, id });
        },
      };
    },
  };
}

/** A list that is filtered by a customer who does not exist, or was deleted, is refused with a 400. */
function checkCustomerFilter(account: Account, customer: FormValue | undefined) {
  if (typeof customer === "string") account.customers.getReferenced(customer, "customer");
}

/** Finds the endpoint of a request and the id in its path. */
export function findEndpoint(
  endpoints: Endpoint[],
  method: string,
  path: string,
): [Endpoint, string] | undefined {
  const parts = segmentsOf(path);
  for (const endpoint of endpoints) {
    if (endpoint.method !== method || endpoint.segments.length !== parts.length) continue;
    if (!endpoint.segments.every((segment, index) => segment === ":id" || segment === parts[index])) continue;
    return [endpoint, parts.filter((_, index) => endpoint.segments[index] === ":id").join("/")];
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "").map(decodeSegment);
}

/** Malformed percent-encoding is kept as it is: no route or id matches it. */
function decodeSegment(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
