/**
 * Settings that are complete and still unsafe. Each has a sentence that says what is wrong and what to do, and the start is
 * refused with it: a deployment that works and is open to others is worse than one that does not start.
 */

type Environment = Record<string, string | undefined>;

/** Who reads the environment. Edge functions are given the database's address by the platform and cannot change it. */
export type Reader = "server" | "function" | "operator";

/** Web addresses that secrets, tokens or people are sent to. */
const WEB_ADDRESSES = [
  "PARENT_APP_URL",
  "PLUGIN_URL",
  "PARENT_APP_JWKS_URL",
  "SUPABASE_URL",
  "STRIPE_API_BASE",
  "STRIPE_JS_URL",
];

/** Origins that decide who may show the plugin, and to whom messages are sent. */
const ORIGINS = ["PARENT_APP_URL", "PLUGIN_URL"];

/** Values that must be known to their two sides only, and so must not be the same. */
const SECRETS = [
  "CRON_SECRET",
  "PARENT_APP_JWT_SECRET",
  "SESSION_SECRET",
  "SUPABASE_JWT_SECRET",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
];

const DATABASES: Record<Reader, string[]> = {
  server: ["SUPABASE_DB_URL", "BILLING_DB_URL"],
  function: ["BILLING_DB_URL"],
  operator: ["OPERATOR_DB_URL"],
};

/** What is unsafe in an environment, as sentences that begin with a variable's name; empty when nothing is. */
export function unsafeSettings(env: Environment, reader: Reader): string[] {
  return [
    ...WEB_ADDRESSES.flatMap((name) => insecureAddress(name, env[name])),
    ...ORIGINS.flatMap((name) => wildcard(name, env[name])),
    ...DATABASES[reader].flatMap((name) => insecureDatabase(name, env[name])),
    ...stripeModes(env),
    ...equalSecrets(env),
  ];
}

function insecureAddress(name: string, value: string | undefined): string[] {
  const url = urlOf(value);
  if (!url || url.protocol !== "http:" || isLoopback(url.hostname)) return [];
  return [`${name} should begin with https:// because ${url.hostname} is not this machine`];
}

function wildcard(name: string, value: string | undefined): string[] {
  return value?.includes("*")
    ? [`${name} should be one origin: with a wildcard, other sites could show the plugin`]
    : [];
}

/**
 * node-postgres encrypts and verifies with sslmode=verify-full. `no-verify` talks to whoever answers, and libpq's meaning of
 * `require` and `prefer` (uselibpqcompat) does not verify either.
 */
function insecureDatabase(name: string, value: string | undefined): string[] {
  const url = urlOf(value);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return [];
  const { searchParams } = url;
  const hosts = [url.hostname, ...searchParams.getAll("host")].filter(Boolean);
  if (hosts.every((host) => isLoopback(host) || host.startsWith("/"))) return [];
  const modes = searchParams.getAll("sslmode");
  const isVerified = modes.length === 1 && modes[0] === "verify-full" &&
    !searchParams.has("uselibpqcompat") &&
    !["false", "0"].includes(searchParams.get("ssl") ?? "");
  if (isVerified) return [];
  return [
    `${name} should have sslmode=verify-full (with sslrootcert=… for a certificate of the project's own), because ` +
    `${hosts.find((host) => !isLoopback(host))} is not this machine`,
  ];
}

function stripeModes(env: Environment): string[] {
  const secret = modeOf(env.STRIPE_SECRET_KEY);
  const publishable = modeOf(env.STRIPE_PUBLISHABLE_KEY);
  const faults: string[] = [];
  if (secret && publishable && secret !== publishable) {
    faults.push(
      `STRIPE_PUBLISHABLE_KEY should be of the same mode as STRIPE_SECRET_KEY: one is ${publishable}, the other ${secret}`,
    );
  }
  if (secret !== "live" && publishable !== "live") return faults;
  if (env.STRIPE_API_BASE) {
    faults.push("STRIPE_API_BASE should be empty with live keys: a simulator must not be sent them");
  }
  if (env.DUES_EXAMPLES === "true") {
    faults.push(
      "DUES_EXAMPLES should be empty with live keys: the demo uses up the limits of real communities",
    );
  }
  const script = urlOf(env.STRIPE_JS_URL);
  if (env.STRIPE_JS_URL && script?.origin !== "https://js.stripe.com") {
    faults.push("STRIPE_JS_URL should be empty with live keys: only Stripe's own script may handle cards");
  }
  return faults;
}

/** Of a key such as rk_live_… or pk_test_…. */
const modeOf = (key: string | undefined) => key?.match(/^[a-z]+_(live|test)_/)?.[1];

function equalSecrets(env: Environment): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const name of SECRETS) {
    for (const secret of (env[name] ?? "").split(",").map((part) => part.trim()).filter(Boolean)) {
      const owner = owners.get(secret);
      if (owner !== undefined && owner !== name) {
        faults.push(`${owner} should not be equal to ${name}: who knows one of them would know both`);
      }
      owners.set(secret, name);
    }
  }
  return faults;
}

/** Names of this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3, 127.0.0.0/8 and ::1. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)\.?$/i.test(hostname);
}

function urlOf(value: string | undefined): URL | undefined {
  return value && URL.canParse(value) ? new URL(value) : undefined;
}
