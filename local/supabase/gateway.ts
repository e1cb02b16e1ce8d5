/**
 * The Supabase gateway of the local stack: the data API at `/rest/v1/` and the edge functions at `/functions/v1/`, and
 * on a host name of its own the studio, over a real Postgres in which real grants and row-level security decide.
 *
 * It logs in as `authenticator`, as hosted Supabase's data API does: a role that can only switch to the role that the
 * request's key or token names.
 */
import { App } from "@supabase/lite";
import { createPostgresConnection, type PostgresConnection } from "@supabase/lite/postgres";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Children } from "../processes/children.ts";
import { FUNCTIONS_PREFIX, serveFunctions } from "./edge_functions.ts";
import { projectPath } from "../paths.ts";
import { runMain } from "../processes/run_main.ts";
import { createStudio, STUDIO_HOST } from "./studio.ts";

const REST_PREFIX = "/rest/v1/";
const HEALTH_PATH = "/health";
const OPTIONS_VARIABLE = "DUES_GATEWAY";

const optionsSchema = z.object({
  /** The database as role `authenticator`: requests. */
  requestUrl: z.string(),
  /** The database as role `postgres`: what tables and columns there are. */
  structureUrl: z.string(),
  /** HS256 secret of the session tokens. */
  jwtSecret: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  /** What `supabase secrets set` would hold. */
  functionSecrets: z.record(z.string(), z.string()),
  /** A folder laid out like `supabase/`. */
  folder: z.string().default(projectPath("supabase")),
});

export type GatewayOptions = z.input<typeof optionsSchema> & { port: number };

/** Starts the gateway as one of the children. Rejects as Children.start() does. */
export async function startGateway(
  children: Children,
  { port, ...options }: GatewayOptions,
): Promise<void> {
  await children.start({
    name: "supabase",
    module: "local/supabase/gateway.ts",
    args: [`--port=${port}`],
    env: { [OPTIONS_VARIABLE]: JSON.stringify(options) },
    readyWhen: { url: `http://127.0.0.1:${port}${HEALTH_PATH}` },
  });
}

async function serve(
  port: number,
  options: z.output<typeof optionsSchema>,
  functions: Children,
): Promise<void> {
  const { api, connection } = dataApi(options);
  const studio = createStudio({
    secretKey: options.secretKey,
    callRest: (request) => api.fetch(request),
    introspect: () => connection.introspect(),
  });
  const callFunction = await serveFunctions(functions, {
    folder: options.folder,
    jwtSecret: options.jwtSecret,
    secrets: {
      SUPABASE_URL: `http://127.0.0.1:${port}`,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: options.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: options.secretKey }),
      ...options.functionSecrets,
    },
  });
  Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const { hostname, pathname } = new URL(request.url);
    if (hostname === STUDIO_HOST) return await studio(request);
    if (pathname.startsWith(REST_PREFIX)) return await api.fetch(request);
    if (pathname.startsWith(FUNCTIONS_PREFIX)) return await callFunction(request);
    if (pathname === HEALTH_PATH) return Response.json({ ok: true });
    return Response.json({ message: "no Route matched with those values" }, { status: 404 });
  });
}

function dataApi(
  { requestUrl, structureUrl, jwtSecret, publishableKey, secretKey }: z.output<typeof optionsSchema>,
) {
  const connection = createPostgresConnection({ url: requestUrl, postgresOptions: { max: 10 } });
  honourGrants(connection);
  // Only an owner sees every table's structure in the information schema. Requests never use this connection.
  const structure = createPostgresConnection({
    url: structureUrl,
    postgresOptions: { max: 1, idle_timeout: 5 },
  });
  connection.introspect = (options) => structure.introspect(options);
  const api = new App({
    connection,
    studio: { enabled: false },
    auth: {
      enabled: true,
      jwt_secret: jwtSecret,
      publishable_key: publishableKey,
      secret_key: secretKey,
    },
  });
  return { api, connection };
}

/**
 * Left to itself, the library looks for row-level security at the first request: where it finds some it grants
 * everything on all tables to the callers' roles, and where it finds none it never takes on a caller's role.
 */
function honourGrants(connection: PostgresConnection): void {
  Object.assign(connection, { rlsState: "active" });
}

/** Runs the gateway until one of its functions ends by itself, which it rejects with. */
async function main(args: string[]): Promise<never> {
  const { values } = parseArgs({ args, options: { port: { type: "string" } } });
  const functions = new Children((_, line) => console.log(line));
  await serve(
    Number(values.port),
    optionsSchema.parse(JSON.parse(Deno.env.get(OPTIONS_VARIABLE) ?? "{}")),
    functions,
  );
  throw await functions.failed;
}

if (import.meta.main) await runMain(() => main(Deno.args));
