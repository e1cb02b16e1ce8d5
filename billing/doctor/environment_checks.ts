/** The environment by itself: nothing is asked of anybody. */
import { createPublicKey } from "node:crypto";
import { variableNames } from "../config.ts";
import { type Check, doubtful, type Finding, foundOr, wrong } from "./check.ts";
import { isLocal } from "./context.ts";

const group = "environment";
const docs = "docs/deploy.md#the-environment";

const isLive = (key: string) => /_live_/.test(key);
const modeOf = (key: string) => isLive(key) ? "live" : "test";

/** Variables of other programs that begin like ours. */
const FOREIGN =
  /^(STRIPE_(DEVICE_NAME|CLI_.*|LOG)|SUPABASE_(ACCESS_TOKEN|DB_PASSWORD|PROJECT_.*|ANON_KEY|SERVICE_ROLE_KEY|.*KEYS?|INTERNAL_.*))$/;
const OURS =
  /^(STRIPE|PARENT_APP|PLUGIN|COMMON_GROUND|DUES|SESSION|CHECKOUT|BILLING|OPERATOR|CRON|SUPABASE)_/;

/** The account that a key of Stripe's names; null for keys of another form. */
const accountOf = (key: string) => key.match(/^[a-z]+_(?:test|live)_5(1\w{15})/)?.[1] ?? null;

/** The names of secrets that are each for one purpose. */
const SECRETS = ["SESSION_SECRET", "PARENT_APP_JWT_SECRET", "CRON_SECRET", "SUPABASE_JWT_SECRET"] as const;

export const environmentChecks: Check[] = [
  {
    group,
    name: "variables",
    docs,
    run({ faults }) {
      return foundOr(
        faults.map(({ sentence }) => wrong(sentence, "Set it in .env, as .env.example says.")),
        "Every variable is set and of the expected form.",
      );
    },
  },
  {
    group,
    name: "unknown variables",
    docs,
    run({ env }) {
      const unknown = Object.keys(env).filter((name) =>
        OURS.test(name) && !FOREIGN.test(name) && !(variableNames as string[]).includes(name)
      ).sort();
      return foundOr(
        unknown.map((name) =>
          doubtful(
            `${name} is set, but nothing reads it.`,
            "Look for a misspelling; .env.example has every name.",
          )
        ),
        "No variable has a name that nothing reads.",
      );
    },
  },
  {
    group,
    name: "modes of the keys",
    docs,
    run({ values: { STRIPE_SECRET_KEY: secret, STRIPE_PUBLISHABLE_KEY: publishable } }) {
      if (!secret || !publishable) return { skipped: "Not checked: it needs both keys of Stripe." };
      const found: Finding[] = [];
      if (isLive(secret) !== isLive(publishable)) {
        found.push(wrong(
          `STRIPE_SECRET_KEY is a key of ${modeOf(secret)} mode and STRIPE_PUBLISHABLE_KEY one of ${
            modeOf(publishable)
          } mode.`,
          "Take both from the same page of Stripe's dashboard: Developers, API keys.",
        ));
      } else if (
        accountOf(secret) !== null && accountOf(publishable) !== null &&
        accountOf(secret) !== accountOf(publishable)
      ) {
        found.push(wrong(
          "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of two Stripe accounts.",
          "Take both from the same page of Stripe's dashboard: Developers, API keys.",
        ));
      }
      return foundOr(found, `Both keys of Stripe are of ${modeOf(secret)} mode.`);
    },
  },
  {
    group,
    name: "stand-ins",
    docs,
    run({ values }) {
      const { STRIPE_SECRET_KEY: secret = "", STRIPE_API_BASE, STRIPE_JS_URL, DUES_EXAMPLES, PLUGIN_URL } =
        values;
      const found: Finding[] = [];
      const isPublic = PLUGIN_URL !== undefined && !isLocal(new URL(PLUGIN_URL).hostname);
      if (isLive(secret) || isPublic) {
        for (const [name, value] of Object.entries({ STRIPE_API_BASE, STRIPE_JS_URL })) {
          if (value === undefined) continue;
          found.push(wrong(
            `${name} leads to a stand-in of Stripe (${new URL(value).host}), so nobody pays.`,
            `Remove ${name} from the environment.`,
          ));
        }
        if (DUES_EXAMPLES === "true") {
          found.push(wrong(
            "DUES_EXAMPLES is true: the demo assistant is served and uses up the limits of real communities.",
            "Remove DUES_EXAMPLES from the environment and build again.",
          ));
        }
      }
      return foundOr(found, "Nothing stands in for Stripe where people pay.");
    },
  },
  {
    group,
    name: "addresses",
    docs,
    run({ values }) {
      const found: Finding[] = [];
      const { PARENT_APP_URL: parent, PLUGIN_URL: plugin } = values;
      for (const name of ["PARENT_APP_URL", "PLUGIN_URL", "SUPABASE_URL", "PARENT_APP_JWKS_URL"] as const) {
        const url = values[name] === undefined ? null : new URL(values[name]);
        if (url?.protocol === "http:" && !isLocal(url.hostname)) {
          found.push(wrong(
            `${name} is not encrypted: ${url.href.replace(/\/$/, "")}.`,
            `Serve it by https and change ${name}.`,
          ));
        }
      }
      if (parent && plugin) {
        if (parent === plugin) {
          found.push(wrong(
            "PARENT_APP_URL and PLUGIN_URL are the same origin, so the parent app and the plugin are not kept apart.",
            "Serve the plugin at a host name of its own.",
          ));
        }
        if (parent.startsWith("https:") && plugin.startsWith("http:")) {
          found.push(wrong(
            "Browsers load no frame from PLUGIN_URL (http) within a page of PARENT_APP_URL (https).",
            "Serve the plugin by https.",
          ));
        }
      }
      return foundOr(found, "The addresses of the two apps fit together.");
    },
  },
  {
    group,
    name: "secrets",
    docs,
    run({ env }) {
      const found: Finding[] = [];
      const set = SECRETS.filter((name) => env[name]);
      for (const [index, name] of set.entries()) {
        const same = set.slice(0, index).find((other) => env[other] === env[name]);
        if (same) {
          found.push(wrong(
            `${name} and ${same} are the same: whoever knows the one can do what the other allows.`,
            `Give ${name} a value of its own: openssl rand -hex 32`,
          ));
        }
        if (new Set(env[name]).size < 10 || /example|secret|password|change.?me/i.test(env[name]!)) {
          found.push(wrong(`${name} can be guessed.`, "Make it at random: openssl rand -hex 32"));
        }
      }
      return foundOr(found, "Each secret is one of its own.");
    },
  },
  {
    group,
    name: "Common Ground's keys",
    docs,
    run({ values: { COMMON_GROUND_PRIVATE_KEY: privateKey, COMMON_GROUND_PUBLIC_KEY: publicKey } }) {
      if (!privateKey || !publicKey) return { skipped: "The parent app is not Common Ground." };
      const own = createPublicKey(privateKey).export({ type: "spki", format: "pem" });
      const given = createPublicKey(publicKey).export({ type: "spki", format: "pem" });
      return foundOr(
        own === given ? [] : [wrong(
          "COMMON_GROUND_PUBLIC_KEY does not belong to COMMON_GROUND_PRIVATE_KEY.",
          "Copy both keys again from where Common Ground showed them for this plugin.",
        )],
        "The two keys of Common Ground belong together.",
      );
    },
  },
  {
    group,
    name: "encryption of the database",
    docs: "docs/deploy.md#the-database",
    run({ values }) {
      const found: Finding[] = [];
      for (const name of ["SUPABASE_DB_URL", "BILLING_DB_URL", "OPERATOR_DB_URL"] as const) {
        if (values[name] === undefined) continue;
        const url = new URL(values[name]);
        if (isLocal(url.hostname)) continue;
        const mode = url.searchParams.get("sslmode") ?? "disable";
        if (["disable", "allow", "prefer"].includes(mode)) {
          found.push(wrong(
            `${name} does not encrypt the connection to ${url.hostname}: passwords and billing data can be read on the way.`,
            "Add ?sslmode=verify-full&sslrootcert=./supabase.crt, or at least ?sslmode=no-verify.",
          ));
        }
      }
      return foundOr(found, "Every connection to a database elsewhere is encrypted.");
    },
  },
];
