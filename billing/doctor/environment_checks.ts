/** The environment by itself: nothing is asked of anybody. */
import { createPublicKey } from "node:crypto";
import { variableNames } from "../config.ts";
import { unsafeSettings } from "../config_safety.ts";
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

/** Secrets that the operator makes. */
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
    name: "account of the keys",
    docs,
    run({ values: { STRIPE_SECRET_KEY: secret, STRIPE_PUBLISHABLE_KEY: publishable } }) {
      if (!secret || !publishable) return { skipped: "Not checked: it needs both keys of Stripe." };
      const found: Finding[] = [];
      if (
        accountOf(secret) !== null && accountOf(publishable) !== null &&
        accountOf(secret) !== accountOf(publishable)
      ) {
        found.push(wrong(
          "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of two Stripe accounts.",
          "Take both from the same page of Stripe's dashboard: Developers, API keys.",
        ));
      }
      return foundOr(found, `Both keys of Stripe are of the same account, of ${modeOf(secret)} mode.`);
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
      for (const name of set) {
        if (new Set(env[name]).size < 10 || /example|secret|password|change.?me/i.test(env[name]!)) {
          found.push(wrong(`${name} can be guessed.`, "Make it at random: openssl rand -hex 32"));
        }
      }
      return foundOr(found, "No secret can be guessed.");
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
    name: "safety",
    docs,
    run({ env }) {
      const unsafe = new Set(
        (["server", "operator"] as const).flatMap((reader) => unsafeSettings(env, reader)),
      );
      return foundOr(
        [...unsafe].map((sentence) =>
          wrong(`${sentence}.`, "Change it in .env: the server and the tasks refuse to start with it.")
        ),
        "Nothing is sent unencrypted, no two secrets are the same, and the keys are of one mode.",
      );
    },
  },
];
