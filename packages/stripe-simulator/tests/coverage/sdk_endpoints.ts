import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** An endpoint of Stripe's API with the parameters that the SDK's types have. */
export interface SdkEndpoint {
  /** The SDK's method: `retrieve`. */
  name: string;
  method: string;
  /** With `:id` for each id. */
  path: string;
  params: string[];
}

const folder = `${dirname(fileURLToPath(import.meta.resolve("stripe")))}/resources`;

/** Reads the endpoints of a resource from the SDK's files: `Customers`, `Checkout/Sessions`. */
export async function endpointsOf(resource: string): Promise<SdkEndpoint[]> {
  const [code, types] = await Promise.all(
    [".js", ".d.ts"].map((ending) => Deno.readTextFile(`${folder}/${resource}${ending}`)),
  );
  const calls = code.matchAll(
    /^ {4}(\w+)\([^)]*\) \{\s+return this\._makeRequest\('(\w+)', [`']([^`']+)[`']/gm,
  );
  return [...calls].map(([, name, method, path]) => ({
    name,
    method,
    path: path.replace(/\$\{[^}]+\}/g, ":id"),
    params: paramsOf(types, name),
  }));
}

const paging = ["ending_before", "limit", "starting_after"];

/** The parameters of a method, without `expand`, which every endpoint has. */
function paramsOf(types: string, method: string): string[] {
  const type = new RegExp(`^\\s+${method}\\([^;]*params\\??: (?:\\w+\\.)*(\\w+)`, "m").exec(types)?.[1];
  if (type === undefined) return [];
  const body = new RegExp(
    `^( *)(?:export )?interface ${type}( extends PaginationParams)? \\{\\n([^]*?)^\\1\\}`,
    "m",
  )
    .exec(types);
  if (!body) return [];
  const [, indent, isPaged, text] = body;
  const names = [...text.matchAll(new RegExp(`^${indent} {4}(\\w+)\\??:`, "gm"))].map(([, name]) => name);
  return [...isPaged ? paging : [], ...names].filter((name) => name !== "expand");
}
