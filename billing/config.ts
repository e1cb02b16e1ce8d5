import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { unsafeSettings } from "./config_safety.ts";
import { FaultsError } from "./errors.ts";
import type { SessionKey, SigningKey } from "./identity/session_key.ts";

/**
 * Every environment variable that Dues reads, with its expected form. They are read once, at start; no other file of the
 * product reads the environment.
 */
const text = (pattern: RegExp, what: string) => z.string({ error: what }).regex(pattern, { error: what });

const origin = (what: string) =>
  text(/^https?:\/\/[^/?#\s@]+\/?$/, `${what}, without a path`).transform((url) => new URL(url).origin);

const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value === "" ? undefined : value, schema.optional());

const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error:
    "a PostgreSQL address of role billing_service, postgresql://billing_service:password@host:5432/postgres",
});

const databaseVariables = {
  /** The platform gives edge functions SUPABASE_DB_URL; BILLING_DB_URL overrides it there. */
  BILLING_DB_URL: optional(postgresUrl),
  SUPABASE_DB_URL: postgresUrl,
};

const stripeVariables = {
  STRIPE_SECRET_KEY: text(
    /^[sr]k_(test|live)_\w+$/,
    "a secret or restricted key of the Stripe account, sk_test_… or rk_live_…",
  ),
  STRIPE_API_BASE: optional(origin("the address of a Stripe simulator, http://127.0.0.1:4103")),
};

const webhookVariables = {
  STRIPE_WEBHOOK_SECRET: text(
    /^\s*whsec_\w+\s*(,\s*whsec_\w+\s*)*$/,
    "the signing secret of the webhook endpoint, whsec_…; several, separated by commas, while one is replaced",
  ).transform((list) => list.split(",").map((secret) => secret.trim())),
};

const scheduleVariables = {
  CRON_SECRET: text(
    /^\S{32,}$/,
    "a random secret of at least 32 characters that the database's schedules call the functions with",
  ),
};

const operatorVariables = {
  OPERATOR_DB_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: "the project's database as role postgres, postgresql://postgres:password@host:5432/postgres",
  }),
  SUPABASE_URL: origin("the address of the Supabase project, https://project.supabase.co"),
};

const serverVariables = {
  STRIPE_PUBLISHABLE_KEY: text(
    /^pk_(test|live)_\w+$/,
    "the publishable key of the Stripe account, pk_test_… or pk_live_…",
  ),
  STRIPE_PORTAL_CONFIGURATION_ID: optional(
    text(
      /^bpc_\w+$/,
      "the id of a billing portal configuration, bpc_…, or nothing for the account's default",
    ),
  ),
  CHECKOUT_UI_MODE: optional(
    z.enum(["hosted", "embedded"], {
      error: "hosted (people pay on Stripe's page) or embedded (inside the plugin's page, by Stripe.js)",
    }),
  ),
  STRIPE_JS_URL: optional(z.url({
    protocol: /^https?$/,
    error: "the address of a stand-in for Stripe.js, http://127.0.0.1:4103/stripe-js/stripe.js",
  })),
  PARENT_APP_URL: origin("the address of the parent app, https://app.example"),
  PLUGIN_URL: origin("the address this plugin is served at, https://billing.example"),
  PARENT_APP_JWT_SECRET: optional(
    text(
      /^.{32,}$/,
      "a secret of at least 32 characters, shared with the parent app, which signs identity tokens with it (HS256)",
    ),
  ),
  PARENT_APP_JWKS_URL: optional(z.url({
    protocol: /^https?$/,
    error: "the address of the parent app's public keys (JWKS), https://app.example/.well-known/jwks.json",
  })),
  COMMON_GROUND_PRIVATE_KEY: optional(
    rsaKey(
      "PRIVATE KEY",
      createPrivateKey,
      "the private key that Common Ground showed when the plugin was made, PEM",
    ),
  ),
  COMMON_GROUND_PUBLIC_KEY: optional(
    rsaKey(
      "PUBLIC KEY",
      createPublicKey,
      "the public key that Common Ground showed when the plugin was made, PEM",
    ),
  ),
  COMMON_GROUND_ADMIN_ROLES: optional(
    text(
      /[^\s,]/,
      "the roles whose holders may pay, separated by commas: titles of predefined roles, or ids of roles",
    ),
  ).transform((list = "Admin") => list.split(",").map((role) => role.trim()).filter(Boolean)),
  TRUSTED_PROXIES: optional(
    text(/^[0-5]$/, "how many proxies in front append the caller's address to X-Forwarded-For, 0 to 5"),
  ).transform((count) => count === undefined ? null : Number(count)),
  DUES_EXAMPLES: optional(z.enum(["true", "false"], { error: "true (serve the examples, too) or false" })),
  SESSION_SECRET: text(
    /^.{32,}$/,
    "a random secret of at least 32 characters that session tokens are signed with (HS256)",
  ),
  SUPABASE_JWT_SECRET: optional(
    text(/^.{32,}$/, "the project's JWT secret (HS256), at least 32 characters"),
  ),
  SUPABASE_JWT_SIGNING_KEY: optional(z.string().transform(parseSigningKey)),
};

/** Where the server listens. Its arguments win over these (server/listen_address.ts). */
const listenVariables = {
  HOST: optional(text(/^[\w.:-]+$/, "the name or address to listen at, such as 127.0.0.1")),
  PORT: optional(text(/^\d{1,5}$/, "the port to listen at, such as 8000")),
};

/** A key in PEM (RFC 7468), whose line breaks may be written as `\n`, since many shells take one line only. */
function rsaKey(label: string, parse: (pem: string) => KeyObject, what: string) {
  return z.string({ error: what }).transform((text, ctx) => {
    const pem = text.replaceAll("\\n", "\n");
    try {
      // createPublicKey also takes a private key, so the label is checked, too.
      if (pem.includes(`-----BEGIN ${label}-----`) && parse(pem).asymmetricKeyType === "rsa") return pem;
    } catch {
      // Reported below, without any part of the key.
    }
    ctx.addIssue(what);
    return z.NEVER;
  });
}

/** A private ES256 key as JSON Web Key (RFC 7517), with the `kid` that it has in Supabase. */
function parseSigningKey(text: string, ctx: z.RefinementCtx) {
  const key = z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    kid: z.string(),
    x: z.string(),
    y: z.string(),
    d: z.string(),
  });
  try {
    return key.parse(JSON.parse(text));
  } catch {
    ctx.addIssue(
      "a private ES256 key as JSON Web Key with its kid, imported into Supabase's JWT signing keys",
    );
    return z.NEVER;
  }
}

const webhookSchema = z.object({ ...databaseVariables, ...stripeVariables, ...webhookVariables })
  .transform((env) => ({
    databaseUrl: env.BILLING_DB_URL ?? env.SUPABASE_DB_URL,
    stripe: { secretKey: env.STRIPE_SECRET_KEY, apiBase: env.STRIPE_API_BASE },
    webhookSecrets: env.STRIPE_WEBHOOK_SECRET,
  }));

const scheduledSchema = z.object({ ...databaseVariables, ...stripeVariables, ...scheduleVariables })
  .transform((env) => ({
    databaseUrl: env.BILLING_DB_URL ?? env.SUPABASE_DB_URL,
    stripe: { secretKey: env.STRIPE_SECRET_KEY, apiBase: env.STRIPE_API_BASE },
    cronSecret: env.CRON_SECRET,
  }));

const operatorSchema = z.object({
  ...operatorVariables,
  ...stripeVariables,
  // The set-up puts it into the vault.
  CRON_SECRET: optional(scheduleVariables.CRON_SECRET),
}).transform((env) => ({
  operatorDatabaseUrl: env.OPERATOR_DB_URL,
  stripe: { secretKey: env.STRIPE_SECRET_KEY, apiBase: env.STRIPE_API_BASE },
  supabaseUrl: env.SUPABASE_URL,
  cronSecret: env.CRON_SECRET,
}));

const serverSchema = z.object({
  ...databaseVariables,
  ...stripeVariables,
  ...webhookVariables,
  ...serverVariables,
  ...listenVariables,
}).transform((env) => ({
  databaseUrl: env.BILLING_DB_URL ?? env.SUPABASE_DB_URL,
  stripe: {
    secretKey: env.STRIPE_SECRET_KEY,
    apiBase: env.STRIPE_API_BASE,
    publishableKey: env.STRIPE_PUBLISHABLE_KEY,
    portalConfigurationId: env.STRIPE_PORTAL_CONFIGURATION_ID,
  },
  webhookSecrets: env.STRIPE_WEBHOOK_SECRET,
  checkout: { uiMode: env.CHECKOUT_UI_MODE ?? "hosted", stripeJsUrl: env.STRIPE_JS_URL ?? null },
  showsExamples: env.DUES_EXAMPLES === "true",
  /** Null: one, if the caller is on this machine. */
  trustedProxies: env.TRUSTED_PROXIES,
  parentAppUrl: env.PARENT_APP_URL,
  pluginUrl: env.PLUGIN_URL,
  identity: env.COMMON_GROUND_PRIVATE_KEY
    ? {
      provider: "common_ground" as const,
      privateKey: env.COMMON_GROUND_PRIVATE_KEY,
      publicKey: env.COMMON_GROUND_PUBLIC_KEY!,
      adminRoles: env.COMMON_GROUND_ADMIN_ROLES,
    }
    : {
      provider: "token" as const,
      key: env.PARENT_APP_JWT_SECRET
        ? { secret: env.PARENT_APP_JWT_SECRET }
        : { jwksUrl: env.PARENT_APP_JWKS_URL! },
    },
  sessionKey: sessionKeyOf(env),
}));

/** A key that Supabase trusts signs session tokens if there is one, so that the data API accepts them, too. */
function sessionKeyOf(
  { SESSION_SECRET, SUPABASE_JWT_SECRET, SUPABASE_JWT_SIGNING_KEY }: {
    SESSION_SECRET: string;
    SUPABASE_JWT_SECRET?: string;
    SUPABASE_JWT_SIGNING_KEY?: SigningKey;
  },
): SessionKey {
  if (SUPABASE_JWT_SIGNING_KEY) return { signingKey: SUPABASE_JWT_SIGNING_KEY };
  return { secret: SUPABASE_JWT_SECRET ?? SESSION_SECRET };
}

/** Exactly one variable of each group has to be set. */
const alternatives = [
  ["PARENT_APP_JWT_SECRET", "PARENT_APP_JWKS_URL", "COMMON_GROUND_PRIVATE_KEY"],
];

/** At most one variable of each group may be set. */
const exclusive = [["SUPABASE_JWT_SECRET", "SUPABASE_JWT_SIGNING_KEY"]];

/** Both variables of a pair have to be set, or neither. */
const pairs = [["COMMON_GROUND_PRIVATE_KEY", "COMMON_GROUND_PUBLIC_KEY"]];

/** The plugin server's configuration. */
export type ServerConfig = z.output<typeof serverSchema>;
/** The configuration of the webhook's edge function. */
export type WebhookConfig = z.output<typeof webhookSchema>;

/** Environment variables are missing or wrong. */
export class ConfigError extends FaultsError {
  override name = "ConfigError";

  constructor(faults: string[]) {
    super(faults, {
      heading: "The environment is not complete, or not safe:",
      advice: "See .env.example for every variable.",
    });
  }
}

type Environment = Record<string, string | undefined>;

function read<T extends z.ZodType>(
  schema: T,
  env: Environment,
  crossFaults: string[] = [],
): z.output<T> {
  const result = schema.safeParse(env);
  const faults = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0]);
    return `${name} ${env[name] === undefined ? "is missing: it should be" : "should be"} ${issue.message}`;
  });
  faults.push(...crossFaults);
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);
  return result.data;
}

/** Faults of several variables together. */
function crossFaultsOf(env: Environment): string[] {
  const isSet = (name: string) => Boolean(env[name]);
  return [
    ...alternatives.filter((names) => names.filter(isSet).length !== 1)
      .map((names) => `${names.join(" or ")}: exactly one of them should be set`),
    ...exclusive.filter((names) => names.filter(isSet).length > 1)
      .map((names) => `${names.join(" and ")}: at most one of them should be set`),
    ...pairs.filter((names) => names.some(isSet) && !names.every(isSet))
      .map((names) => `${names.join(" and ")}: both should be set, or neither`),
  ];
}

/** The plugin server's configuration. Throws `ConfigError` with every fault at once. */
export const readServerConfig = (env: Environment): ServerConfig =>
  read(serverSchema, env, [...crossFaultsOf(env), ...unsafeSettings(env, "server")]);

/** The configuration of the webhook's edge function. Throws `ConfigError` with every fault at once. */
export const readWebhookConfig = (env: Environment): WebhookConfig =>
  read(webhookSchema, env, unsafeSettings(env, "function"));

/** The configuration of a scheduled edge function. Throws `ConfigError` with every fault at once. */
export const readScheduledConfig = (env: Environment): z.output<typeof scheduledSchema> =>
  read(scheduledSchema, env, unsafeSettings(env, "function"));

/** The configuration of an operator's task. Throws `ConfigError` with every fault at once. */
export const readOperatorConfig = (env: Environment): z.output<typeof operatorSchema> =>
  read(operatorSchema, env, unsafeSettings(env, "operator"));

/** The names of all variables. A test compares them with `.env.example`. */
export const variableNames = Object.keys({
  ...databaseVariables,
  ...stripeVariables,
  ...webhookVariables,
  ...serverVariables,
  ...listenVariables,
  ...scheduleVariables,
  ...operatorVariables,
});

/** The environment, by the names that are known here, because the server's process may read these variables only. */
export const readEnvironment = (): Environment =>
  Object.fromEntries(variableNames.map((name) => [name, Deno.env.get(name)]));

/** Reads a configuration, or prints its faults and ends the process with exit code 1. */
export function configOrExit<T>(readConfig: (env: Environment) => T): T {
  try {
    return readConfig(readEnvironment());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

const allVariables = {
  ...databaseVariables,
  ...stripeVariables,
  ...webhookVariables,
  ...serverVariables,
  ...scheduleVariables,
  ...operatorVariables,
};

/** Each variable that is set and of the expected form, in the form in which it is used. */
export type Variables = Partial<z.output<z.ZodObject<typeof allVariables>>>;

/** What is wrong with one variable, or with several together. */
export interface VariableFault {
  /** Its name, or the names of those that do not go together. */
  name: string;
  /** The fault as a sentence, without any secret. */
  sentence: string;
}

/** The environment of `deno task doctor`: every variable by itself, so that a wrong one does not hide the others. */
export function inspectEnvironment(env: Environment): { values: Variables; faults: VariableFault[] } {
  const values: Record<string, unknown> = {};
  const faults: VariableFault[] = [];
  for (const [name, schema] of Object.entries<z.ZodType>(allVariables)) {
    // What is not set is missing, also where a shell or a file sets it to nothing.
    const result = schema.safeParse(env[name] === "" ? undefined : env[name]);
    if (result.success) values[name] = result.data;
    else {
      const state = env[name] === undefined || env[name] === "" ? "is missing: it should be" : "should be";
      faults.push({ name, sentence: `${name} ${state} ${result.error.issues[0].message}.` });
    }
  }
  faults.push(...crossFaultsOf(env).map((text) => ({ name: text.split(":")[0], sentence: `${text}.` })));
  return { values, faults };
}

/** The environment of this process. */
export const processEnvironment = (): Environment => Deno.env.toObject();
