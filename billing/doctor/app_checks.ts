/** The two apps: the plugin's server, and the parent app that shows it. */
import { type Check, doubtful, type Finding, foundOr, right, skipped, wrong } from "./check.ts";
import { ask } from "./context.ts";
import { sameVersion } from "./function_checks.ts";

const group = "apps";
const ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"];

/** More than this, and signatures and tokens are refused or soon will be. */
const CLOCK_SECONDS = 30;

export const appChecks: Check[] = [
  {
    group,
    name: "plugin server",
    docs: "docs/deploy.md#the-plugin-server",
    async run(context) {
      const { PLUGIN_URL: url } = context.values;
      if (!url) return skipped("Not checked: it needs PLUGIN_URL.");
      const answer = await ask(context, `${url}/api/health`);
      if ("fault" in answer) {
        return {
          found: [wrong(`The plugin server at ${url} ${answer.fault}.`, "Start it: deno task start.")],
        };
      }
      if (answer.json?.ok !== true) {
        return {
          found: [wrong(
            `Something else than Dues answers at ${url} (${answer.status} to /api/health).`,
            "Look at PLUGIN_URL and at the proxy in front of the server.",
          )],
        };
      }
      return sameVersion(
        "The plugin server",
        answer.json.version,
        "Deploy this version, or use the deployed one's doctor.",
      );
    },
  },
  {
    group,
    name: "readiness",
    docs: "docs/operate.md#health",
    async run(context) {
      const { PLUGIN_URL: url } = context.values;
      if (!url) return skipped("Not checked: it needs PLUGIN_URL.");
      const answer = await ask(context, `${url}/api/ready`);
      if ("fault" in answer || answer.json?.parts === undefined) {
        return skipped("Not checked: the server does not tell.");
      }
      const parts = answer.json.parts as Record<string, { ok: boolean; detail?: string }>;
      const found = Object.entries(parts).filter(([, { ok }]) => !ok).map(([name, { detail }]) =>
        wrong(
          `The plugin server is not ready: ${name}${detail ? `, ${detail}` : ""}.`,
          "Its environment may differ from this one.",
        )
      );
      return foundOr(found, "The plugin server says that it is ready.");
    },
  },
  {
    group,
    name: "frame",
    docs: "docs/deploy.md#the-parent-app",
    async run(context) {
      const { PLUGIN_URL: plugin, PARENT_APP_URL: parent } = context.values;
      if (!plugin || !parent) return skipped("Not checked: it needs PLUGIN_URL and PARENT_APP_URL.");
      const answer = await ask(context, `${plugin}/`);
      if ("fault" in answer) return skipped("Not checked: the plugin server does not answer.");
      const found: Finding[] = [];
      const ancestors = answer.header("content-security-policy")?.match(/frame-ancestors ([^;]*)/)?.[1].trim()
        .split(/\s+/);
      if (!ancestors) {
        found.push(wrong(
          `The page at ${plugin} does not say who may frame it: any site can trick people into clicking on it.`,
          "Something in front of the server removes Content-Security-Policy, or another server answers.",
        ));
      } else if (!ancestors.includes(parent)) {
        found.push(wrong(
          `The page at ${plugin} lets ${
            ancestors.join(" ")
          } frame it, and not ${parent}: the frame stays empty.`,
          "Start the server with the same PARENT_APP_URL.",
        ));
      }
      if (answer.header("x-frame-options") !== null) {
        found.push(wrong(
          `Something adds X-Frame-Options to the page at ${plugin}: the frame stays empty.`,
          "Remove that header in the proxy in front of the server.",
        ));
      }
      return foundOr(found, `The page may be framed by ${parent} and nobody else.`);
    },
  },
  {
    group,
    name: "parent app",
    docs: "docs/deploy.md#the-parent-app",
    async run(context) {
      const { PARENT_APP_URL: url } = context.values;
      if (!url) return skipped("Not checked: it needs PARENT_APP_URL.");
      const answer = await ask(context, url, { redirect: "manual" });
      if ("fault" in answer) {
        return { found: [doubtful(`The parent app at ${url} ${answer.fault}.`, "Look at PARENT_APP_URL.")] };
      }
      const location = answer.header("location");
      if (location && answer.status >= 300 && answer.status < 400) {
        const target = new URL(location, url);
        if (target.origin !== url) {
          return {
            found: [wrong(
              `The parent app at ${url} leads to ${target.origin}, which may not frame the plugin.`,
              `Set PARENT_APP_URL=${target.origin} for the server, and build nothing else.`,
            )],
          };
        }
      }
      return right(`The parent app answers at ${url}.`);
    },
  },
  {
    group,
    name: "the parent app's keys",
    docs: "docs/deploy.md#the-parent-app",
    async run(context) {
      const { PARENT_APP_JWKS_URL: url } = context.values;
      if (!url) return skipped("Identity tokens are not verified by a JWKS.");
      const answer = await ask(context, url);
      const cure = "The parent app's team serves the public keys there (RFC 7517).";
      if ("fault" in answer) {
        return {
          found: [wrong(`The parent app's keys at ${url}: it ${answer.fault}. Nobody can sign in.`, cure)],
        };
      }
      const keys = answer.json?.keys as Record<string, unknown>[] | undefined;
      if (answer.status !== 200 || !Array.isArray(keys)) {
        return { found: [wrong(`There is no JWKS at ${url} (${answer.status}): nobody can sign in.`, cure)] };
      }
      const found: Finding[] = [];
      if (keys.some((key) => "d" in key || key.kty === "oct")) {
        found.push(wrong(
          `The JWKS at ${url} shows a private key: anybody can sign in as anybody.`,
          "The parent app's team has to replace that key at once, and serve public keys only.",
        ));
      }
      const usable = keys.filter((key) =>
        key.alg === undefined
          ? ["EC", "OKP", "RSA"].includes(String(key.kty))
          : ALGORITHMS.includes(String(key.alg))
      );
      if (usable.length === 0) {
        found.push(
          wrong(`The JWKS at ${url} has no key for ${ALGORITHMS.join(", ")}: nobody can sign in.`, cure),
        );
      }
      return foundOr(found, `The parent app's JWKS has ${usable.length} usable keys.`);
    },
  },
  {
    group,
    name: "clock",
    docs: "docs/operate.md#the-clock",
    async run(context) {
      const { now: here } = context.options;
      const found: Finding[] = [];
      const compare = (what: string, theirs: number) => {
        const seconds = Math.round((here() - theirs) / 1000);
        if (Math.abs(seconds) > CLOCK_SECONDS) {
          found.push(wrong(
            `This machine's clock is ${Math.abs(seconds)} seconds ${
              seconds > 0 ? "ahead of" : "behind"
            } ${what}.`,
            "Synchronise it (NTP): signatures and tokens are refused when clocks differ.",
          ));
        }
      };
      const stripe = await ask(context, context.values.STRIPE_API_BASE ?? "https://api.stripe.com/");
      const date = "fault" in stripe ? null : stripe.header("date");
      if (date) compare("Stripe's", Date.parse(date));
      try {
        const { operator } = context;
        if (operator) {
          const [{ now }] = await operator<[{ now: Date }]>`select clock_timestamp() as now`;
          compare("the database's", now.getTime());
        } else if (!date) return skipped("Not checked: neither Stripe nor the database answers.");
      } catch {
        if (!date) return skipped("Not checked: neither Stripe nor the database answers.");
      }
      return foundOr(found, "The clocks agree.");
    },
  },
];
