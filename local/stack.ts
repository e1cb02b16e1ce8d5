/**
 * The whole product on one machine: PostgreSQL, the Stripe simulator, the Supabase gateway with the edge functions, the
 * demo parent app and the plugin, all on the loopback interface.
 */
import { openPool } from "../billing/db/sql.ts";
import { loadPlans, setUpStripe } from "../billing/setup/setup.ts";
import { readServerConfig } from "../billing/config.ts";
import { serverPermissions } from "../billing/permissions.ts";
import { connectStripe } from "../billing/stripe.ts";
import { Children } from "./processes/children.ts";
import { type Cluster, databaseUrl, prepareDatabase } from "./postgres/cluster.ts";
import { LocalError } from "./errors.ts";
import { stateFolder } from "./paths.ts";
import { freePorts, requireFreePorts } from "./processes/ports.ts";
import { startPostgres } from "./postgres/start_postgres.ts";
import { KeptState, newSecrets, type Secrets } from "./stack_state.ts";
import { startGateway } from "./supabase/gateway.ts";

/** In the order in which they take up ports. */
export const SERVICES = ["parent", "plugin", "supabase", "stripe", "postgres"] as const;
export type Service = (typeof SERVICES)[number];
type Ports = Record<Service, number>;

export interface StackOptions {
  /** The first of five ports in a row, or 0 for any free ones. */
  portBase: number;
  /** True to keep nothing: the database and the simulator start empty and are deleted at the end. */
  ephemeral: boolean;
  /** True to delete the kept state and start empty. */
  reset?: boolean;
  /** Where state is kept; `.local` by default. */
  stateFolder?: string;
  /** The plugin from source with live reload, as built into `_fresh/`, or not at all. */
  app: "dev" | "built" | "none";
  /** Where people pay: on Stripe's page (the default) or inside the plugin's. */
  checkout?: "hosted" | "embedded";
  /** Instead of the project's `plans.toml`. */
  plansFile?: string;
  /** What the Stripe key may do, as a restricted key: `customer_write`, `invoice_read`. Everything by default. */
  stripePermissions?: string[];
  /** A migrated and seeded database to use; by default the stack starts a server. */
  database?: { cluster: Cluster; name: string };
  /** Called when a step begins and, with its duration in milliseconds, when it ends. */
  onProgress?: (step: string, milliseconds?: number) => void;
  /** Called with warnings. */
  onNotice?: (text: string) => void;
  /** Called with every line that a process prints. */
  onLine?: (name: string, line: string) => void;
  /** Aborting it stops everything, also during the start. */
  signal?: AbortSignal;
}

/** Keys and secrets that a client of the stack needs. */
export interface StackKeys {
  stripeSecretKey: string;
  stripePublishableKey: string;
  stripeWebhookSecret: string;
  stripePortalConfigurationId: string;
  supabasePublishableKey: string;
  supabaseSecretKey: string;
  supabaseJwtSecret: string;
  sessionSecret: string;
  parentAppJwtSecret: string;
  cronSecret: string;
}

export interface Stack {
  /** `postgres` is the operator's address of the database (role `postgres`). */
  urls: Record<Service, string>;
  keys: StackKeys;
  /** The plugin server's environment, complete. */
  env: Record<string, string>;
  /** Resolves when a process ends that was not stopped. The others are still running then: call stop(). */
  failed: Promise<LocalError>;
  /** Stops every process and resolves when all have ended. */
  stop(): Promise<void>;
}

/**
 * Starts everything and resolves when every service answers.
 *
 * Rejects with a LocalError, and leaves nothing running, when a port is taken, the kept state is damaged, a migration
 * fails, a process does not start, or `signal` is aborted.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const children = new Children(options.onLine);
  const stopNow = () => children.stop();
  options.signal?.addEventListener("abort", stopNow);
  let kept: KeptState | null = null;
  const stop = async () => {
    options.signal?.removeEventListener("abort", stopNow);
    await children.stop();
    kept?.close();
  };
  try {
    const ports = await choosePorts(options);
    if (!options.ephemeral) kept = await KeptState.open(options.stateFolder ?? stateFolder);
    if (options.reset) await kept?.reset();
    return { ...await startAll({ children, ports, kept, options }), failed: children.failed, stop };
  } catch (error) {
    await stop();
    if (!options.signal?.aborted) throw error;
    throw new LocalError("stopped", "The stack was stopped while it was starting.", { cause: error });
  }
}

interface Start {
  children: Children;
  ports: Ports;
  kept: KeptState | null;
  options: StackOptions;
}

async function startAll(start: Start): Promise<Pick<Stack, "urls" | "keys" | "env">> {
  const { children, ports, kept, options } = start;
  const secrets = await readOrMakeSecrets(kept);
  if (options.stripePermissions) secrets.stripeSecretKey = secrets.stripeSecretKey.replace(/^sk_/, "rk_");
  const cluster = options.database?.cluster ?? { port: ports.postgres, passwords: secrets.passwords };
  const database = options.database?.name ?? "postgres";
  const urls = {
    parent: `http://localhost:${ports.parent}`,
    plugin: `http://127.0.0.1:${ports.plugin}`,
    supabase: `http://127.0.0.1:${ports.supabase}`,
    stripe: `http://127.0.0.1:${ports.stripe}`,
    postgres: databaseUrl(cluster, "postgres", database),
  };
  const step = <T>(name: string, work: Promise<T>) => timed(options, name, work);

  const parent = step("demo parent app", startParent(start, urls, secrets));
  // It is awaited below. If another step fails first, this one is stopped, and its rejection would be unhandled.
  parent.catch(() => {});
  await Promise.all([
    step("Stripe simulator", startStripe(start)),
    options.database ? null : startDatabase(start, cluster),
  ]);
  if (options.stripePermissions) {
    await restrictKey(urls.stripe, secrets.stripeSecretKey, options.stripePermissions);
  }
  const setup = await step("Stripe set-up", setUp(urls, secrets, start));

  const keys = keysOf(secrets, setup);
  const env = {
    ...pluginEnvironment(urls, keys, databaseUrl(cluster, "billing_service", database)),
    CHECKOUT_UI_MODE: options.checkout ?? "hosted",
    DUES_EXAMPLES: "true",
  };
  const gateway = startGateway(children, {
    port: ports.supabase,
    requestUrl: databaseUrl(cluster, "authenticator", database),
    structureUrl: urls.postgres,
    jwtSecret: secrets.supabaseJwtSecret,
    publishableKey: secrets.supabasePublishableKey,
    secretKey: secrets.supabaseSecretKey,
    functionSecrets: functionSecrets(env, keys),
  });
  await Promise.all([
    parent,
    step("Supabase gateway and edge functions", gateway),
    ...(options.app === "none" ? [] : [step("plugin", startPlugin(start, urls, env))]),
  ]);
  return { urls, keys, env };
}

async function startDatabase({ children, ports, kept, options }: Start, cluster: Cluster): Promise<void> {
  const server = startPostgres(children, {
    port: ports.postgres,
    password: cluster.passwords.supabase_admin,
    dataFolder: kept?.postgresFolder ?? null,
  });
  await timed(options, "PostgreSQL", server);
  const { seedChanged } = await timed(options, "migrations and seed", prepareDatabase(cluster));
  if (seedChanged) {
    options.onNotice?.("supabase/seed.sql has changed since it was run; --reset runs it again.");
  }
}

async function startStripe({ children, ports, kept }: Start): Promise<void> {
  await children.start({
    name: "stripe",
    module: "packages/stripe-simulator/main.ts",
    args: [`--port=${ports.stripe}`, ...(kept ? [`--state=${kept.stripeFile}`] : [])],
    readyWhen: { url: `http://127.0.0.1:${ports.stripe}/_sim/health` },
  });
}

async function restrictKey(stripeUrl: string, key: string, permissions: string[]): Promise<void> {
  const response = await fetch(`${stripeUrl}/_sim/restricted_keys/${key}`, {
    method: "PUT",
    body: JSON.stringify({ permissions }),
  });
  if (!response.ok) throw new Error(`The simulator did not restrict the key: ${await response.text()}`);
  await response.body?.cancel();
}

async function startParent(
  { children, ports }: Start,
  urls: Record<Service, string>,
  secrets: Secrets,
): Promise<void> {
  await children.start({
    name: "parent",
    module: "local/parent_app/main.ts",
    args: [`--port=${ports.parent}`],
    env: {
      PARENT_APP_URL: urls.parent,
      PLUGIN_URL: urls.plugin,
      PARENT_APP_JWT_SECRET: secrets.parentAppJwtSecret,
      STRIPE_API_BASE: urls.stripe,
    },
    readyWhen: { url: `http://127.0.0.1:${ports.parent}/health` },
  });
}

async function startPlugin(
  { children, ports, options }: Start,
  urls: Record<Service, string>,
  env: Record<string, string>,
): Promise<void> {
  const program = options.app === "dev"
    ? {
      module: "dev.ts",
      // Restarts when a file changes that the app imports or that lies in these folders; the page then reloads.
      denoArgs: [
        "--allow-all",
        "--watch=routes,islands,components,browser,examples,static",
        "--no-clear-screen",
      ],
      env: { ...env, PORT: String(ports.plugin) },
    }
    : {
      // As `deno task start` runs it, with no permission that is not needed in production.
      module: "server/serve.ts",
      args: [`--port=${ports.plugin}`],
      denoArgs: serverPermissions(readServerConfig(env), { hostname: "127.0.0.1", port: ports.plugin }),
      env,
    };
  await children.start({ name: "plugin", ...program, readyWhen: { url: `${urls.plugin}/api/health` } });
}

interface SetUp {
  /** One or several, as STRIPE_WEBHOOK_SECRET holds them. */
  webhookSecret: string;
  portalConfigurationId: string;
}

/** Runs the set-up that an operator runs once, and keeps the signing secrets, which Stripe returns only once. */
async function setUp(
  urls: Record<Service, string>,
  secrets: Secrets,
  { kept, options }: Start,
): Promise<SetUp> {
  const webhookUrl = `${urls.supabase}/functions/v1/stripe-webhook`;
  await using sql = openPool(urls.postgres, { max: 1 });
  const stripe = connectStripe({ secretKey: secrets.stripeSecretKey, apiBase: urls.stripe });
  const plans = await loadPlans(options.plansFile);
  const { portalConfigurationId, webhookEndpoint, thinEventDestination } = await setUpStripe({
    stripe,
    sql,
    plans,
    webhookUrl,
  });
  const known = secrets.webhookSecrets;
  known[webhookUrl] = webhookEndpoint.secret ?? known[webhookUrl];
  known[`thin ${webhookUrl}`] = thinEventDestination.secret ?? known[`thin ${webhookUrl}`];
  const signing = [known[webhookUrl], known[`thin ${webhookUrl}`]];
  if (!signing.every(Boolean)) {
    throw new LocalError("state_unusable", "A signing secret of Stripe is lost. Start with --reset.");
  }
  await kept?.writeSecrets(secrets);
  return { webhookSecret: signing.join(","), portalConfigurationId };
}

async function readOrMakeSecrets(kept: KeptState | null): Promise<Secrets> {
  const known = await kept?.readSecrets();
  if (known) return known;
  const secrets = newSecrets();
  await kept?.writeSecrets(secrets);
  return secrets;
}

function keysOf(secrets: Secrets, setup: SetUp): StackKeys {
  return {
    stripeSecretKey: secrets.stripeSecretKey,
    stripePublishableKey: secrets.stripePublishableKey,
    stripeWebhookSecret: setup.webhookSecret,
    stripePortalConfigurationId: setup.portalConfigurationId,
    supabasePublishableKey: secrets.supabasePublishableKey,
    supabaseSecretKey: secrets.supabaseSecretKey,
    supabaseJwtSecret: secrets.supabaseJwtSecret,
    sessionSecret: secrets.sessionSecret,
    parentAppJwtSecret: secrets.parentAppJwtSecret,
    cronSecret: secrets.cronSecret,
  };
}

function pluginEnvironment(
  urls: Record<Service, string>,
  keys: StackKeys,
  billingDatabaseUrl: string,
): Record<string, string> {
  return {
    STRIPE_SECRET_KEY: keys.stripeSecretKey,
    STRIPE_PUBLISHABLE_KEY: keys.stripePublishableKey,
    STRIPE_WEBHOOK_SECRET: keys.stripeWebhookSecret,
    STRIPE_PORTAL_CONFIGURATION_ID: keys.stripePortalConfigurationId,
    STRIPE_API_BASE: urls.stripe,
    STRIPE_JS_URL: `${urls.stripe}/stripe-js/stripe.js`,
    PARENT_APP_URL: urls.parent,
    PLUGIN_URL: urls.plugin,
    PARENT_APP_JWT_SECRET: keys.parentAppJwtSecret,
    SUPABASE_DB_URL: billingDatabaseUrl,
    SESSION_SECRET: keys.sessionSecret,
  };
}

/** What an operator sets with `supabase secrets set`, and the database of the functions. */
function functionSecrets(env: Record<string, string>, { cronSecret }: StackKeys): Record<string, string> {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE, SUPABASE_DB_URL } = env;
  return {
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
    STRIPE_API_BASE,
    SUPABASE_DB_URL,
    CRON_SECRET: cronSecret,
  };
}

async function choosePorts({ portBase, database }: StackOptions): Promise<Ports> {
  const numbers = portBase === 0 ? freePorts(SERVICES.length) : SERVICES.map((_, index) => portBase + index);
  const ports = Object.fromEntries(SERVICES.map((service, index) => [service, numbers[index]])) as Ports;
  const { postgres, ...others } = ports;
  await requireFreePorts(database ? others : { ...others, postgres });
  return ports;
}

async function timed<T>({ onProgress }: StackOptions, name: string, work: Promise<T>): Promise<T> {
  const begun = performance.now();
  onProgress?.(name);
  const result = await work;
  onProgress?.(name, performance.now() - begun);
  return result;
}
