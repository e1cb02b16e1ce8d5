import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { FormHash } from "../wire/form_encoding.ts";
import { list, parseParams, text } from "../wire/params.ts";

/** What an endpoint works with. Its own schema has checked the parameters. */
export interface Call<Params> {
  account: Account;
  change: Change;
  params: Params;
  /** The id in the path, empty where the path has none. */
  id: string;
}

/** A request that has passed validation and can be carried out. */
export interface PreparedCall {
  expand: string[];
  run(change: Change, id: string): object;
}

/** One method and path of the API. */
export interface Endpoint {
  method: string;
  /** The path's parts; `:id` stands for any id. */
  segments: string[];
  prepare(form: FormHash): PreparedCall;
}

type Route = `${"GET" | "POST" | "DELETE"} /${"v1" | "v2"}/${string}`;

const expandParam = { expand: list(text()).default([]) };

/**
 * Describes an endpoint: its route, its parameters, and what it does. Every endpoint takes `expand[]` as well.
 * The parameters are checked before anything runs.
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
    prepare(form) {
      const { expand: _, ...own } = form;
      const params = parseParams(schema, own);
      const { expand } = parseParams(expansion, form);
      return { expand, run: (change, id) => work({ account: change.account, change, params, id }) };
    },
  };
}

/** The endpoint for a request and the id its path names. */
export function findEndpoint(
  endpoints: Endpoint[],
  method: string,
  path: string,
): [Endpoint, string] | undefined {
  const parts = segmentsOf(path);
  for (const endpoint of endpoints) {
    if (endpoint.method !== method || endpoint.segments.length !== parts.length) continue;
    if (!endpoint.segments.every((segment, index) => segment === ":id" || segment === parts[index])) continue;
    return [endpoint, parts[endpoint.segments.indexOf(":id")] ?? ""];
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "").map(decodeSegment);
}

/** A part that is not valid percent-encoding is taken as it is: no endpoint or id will match it. */
function decodeSegment(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
