/**
 * The edge functions, served as hosted Supabase serves them: the token is checked first unless the function says
 * otherwise, the function sees the path without `/functions/v1`, and it knows nothing but its own environment.
 *
 * Each function is a process, because only a process has its own environment and permissions: a function that lacks a
 * secret or a permission on Supabase lacks it here too.
 */
import { errors, jwtVerify } from "jose";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";
import type { Children } from "../processes/children.ts";
import { LocalError } from "../errors.ts";
import { projectPath } from "../paths.ts";
import { freePorts } from "../processes/ports.ts";
import { SERVING_LINE } from "../processes/serve_module.ts";

export const FUNCTIONS_PREFIX = "/functions/v1/";

const envReference = z.string().regex(/^env\([A-Z][A-Z0-9_]*\)$/, { error: 'should be "env(NAME)"' });

/** Supabase ignores keys it does not know; here a misspelt `verify_jwt` is an error. */
const functionConfigSchema = z.strictObject({
  enabled: z.boolean().default(true),
  verify_jwt: z.boolean().default(true),
  import_map: z.string().optional(),
  entrypoint: z.string().optional(),
  static_files: z.array(z.string()).optional(),
  env: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), envReference).default({}),
});

const configSchema = z.looseObject({ functions: z.record(z.string(), functionConfigSchema).default({}) });

export interface EdgeFunction {
  name: string;
  verifyJwt: boolean;
  /** The module's path. */
  entrypoint: string;
  /** Its own variables: name to the name of the secret that holds the value. */
  env: Record<string, string>;
}

export interface FunctionsOptions {
  /** A folder laid out like `supabase/`: `config.toml` and `functions/`. */
  folder: string;
  /** HS256 secret of the tokens. */
  jwtSecret: string;
  /** The variables of every function: those of the platform and those of `supabase secrets set`. */
  secrets: Record<string, string>;
}

/**
 * Reads which functions there are: the folders in `functions/` whose names do not start with an underscore and which
 * `config.toml` does not disable. Throws LocalError `bad_config`.
 */
export async function readFunctions(folder: string): Promise<EdgeFunction[]> {
  const configs = await readConfig(join(folder, "config.toml"));
  const entries = await Array.fromAsync(Deno.readDir(join(folder, "functions")));
  return entries
    .filter((entry) => entry.isDirectory && !entry.name.startsWith("_"))
    .map(({ name }) => ({ name, config: configs[name] ?? functionConfigSchema.parse({}) }))
    .filter(({ config }) => config.enabled)
    .map(({ name, config }) => ({
      name,
      verifyJwt: config.verify_jwt,
      entrypoint: join(folder, config.entrypoint ?? join("functions", name, "index.ts")),
      env: Object.fromEntries(Object.entries(config.env).map(([key, value]) => [key, value.slice(4, -1)])),
    }));
}

async function readConfig(path: string): Promise<Record<string, z.output<typeof functionConfigSchema>>> {
  const text = await Deno.readTextFile(path);
  try {
    return configSchema.parse(parseToml(text)).functions;
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new LocalError("bad_config", `${path} cannot be used.\n${what}`, { cause: error });
  }
}

/** Starts every function as a child, and returns the handler of requests below `/functions/v1/`. */
export async function serveFunctions(
  children: Children,
  options: FunctionsOptions,
): Promise<(request: Request) => Promise<Response>> {
  const functions = await readFunctions(options.folder);
  const ports = freePorts(functions.length);
  await Promise.all(
    functions.map((edgeFunction, index) =>
      startFunction(children, edgeFunction, ports[index], options.secrets)
    ),
  );
  const served = new Map(
    functions.map((edgeFunction, index) => [edgeFunction.name, { ...edgeFunction, port: ports[index] }]),
  );

  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const path = pathname.slice(FUNCTIONS_PREFIX.length);
    const edgeFunction = served.get(path.split("/")[0]);
    if (!edgeFunction) return refusal(404, "NOT_FOUND", "Requested function was not found");
    if (edgeFunction.verifyJwt && request.method !== "OPTIONS") {
      const refused = await checkToken(request, options.jwtSecret);
      if (refused) return refused;
    }
    return await forward(request, `http://127.0.0.1:${edgeFunction.port}/${path}${search}`);
  };
}

async function startFunction(
  children: Children,
  { name, entrypoint, env }: EdgeFunction,
  port: number,
  secrets: Record<string, string>,
): Promise<void> {
  const environment = { ...secrets, ...ownVariables(name, env, secrets) };
  await children.start({
    name: `function ${name}`,
    module: "local/processes/serve_module.ts",
    args: [entrypoint, String(port)],
    env: environment,
    denoArgs: [
      "--allow-env",
      `--allow-net=${[`127.0.0.1:${port}`, ...hostsIn(environment)].join(",")}`,
      `--allow-read=${projectPath()}`,
      `--deny-read=${projectPath(".local")},${projectPath(".env")}`,
    ],
    readyWhen: { line: SERVING_LINE },
  });
}

function ownVariables(name: string, env: Record<string, string>, secrets: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(env).map(([key, secret]) => {
      if (secret in secrets) return [key, secrets[secret]];
      throw new LocalError(
        "bad_config",
        `Function ${name} wants ${key} from env(${secret}), which is not set.`,
      );
    }),
  );
}

/** A function may reach the hosts that its environment names, and no others. */
function hostsIn(environment: Record<string, string>): string[] {
  const urls = Object.values(environment).flatMap((value) => URL.parse(value) ?? []);
  return [...new Set(urls.map((url) => url.host).filter((host) => host !== ""))];
}

async function checkToken(request: Request, jwtSecret: string): Promise<Response | null> {
  const header = request.headers.get("authorization");
  if (!header) return refusal(401, "UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header");
  const token = header.match(/^Bearer (\S+)$/i)?.[1] ?? "";
  try {
    await jwtVerify(token, new TextEncoder().encode(jwtSecret), { algorithms: ["HS256"] });
    return null;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return refusal(401, "UNAUTHORIZED_JWT", "Invalid JWT");
  }
}

/** In the shape of Supabase's own answers, which repeat the message. */
function refusal(status: number, code: string, message: string): Response {
  return Response.json({ code, message, msg: message }, { status, headers: { "sb-error-code": code } });
}

async function forward(request: Request, url: string): Promise<Response> {
  const headers = new Headers(request.headers);
  // fetch() would unpack a compressed answer and leave the header that says it is compressed.
  headers.set("accept-encoding", "identity");
  return await fetch(url, { method: request.method, headers, body: request.body, redirect: "manual" });
}
