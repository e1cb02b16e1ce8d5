/** The edge functions and the webhook: deployed, answering, and with the right secrets. */
import { createHmac } from "node:crypto";
import { version } from "../version.ts";
import { type Check, doubtful, type Finding, foundOr, right, skipped, wrong } from "./check.ts";
import { type Answer, ask, type DoctorContext } from "./context.ts";

const group = "functions";
const DEPLOY = "Run supabase functions deploy.";
const SECRETS = "docs/deploy.md#the-edge-functions";

/** What is wrong with an answer that did not come from our handler. */
function notOurs(name: string, { status, text }: Answer): Finding {
  if (status === 404) return wrong(`The edge function ${name} is not deployed.`, DEPLOY);
  if (status === 401) {
    return wrong(
      `Supabase asks for a token before it calls ${name}: the function was deployed without supabase/config.toml.`,
      "Deploy it from the project's folder, whose supabase/config.toml says verify_jwt = false.",
    );
  }
  if (status >= 500) {
    return wrong(
      `The edge function ${name} does not start (${status} ${text.slice(0, 80).replaceAll("\n", " ")}).`,
      "A secret is missing or wrong: supabase secrets list, supabase functions logs.",
    );
  }
  return wrong(
    `Something else than Dues answers for the edge function ${name} (${status}).`,
    "Look at SUPABASE_URL.",
  );
}

/** Asks a scheduled function for its version, which starts nothing. */
async function scheduledFunction(context: DoctorContext, name: string) {
  const { SUPABASE_URL: url, CRON_SECRET: secret, PLUGIN_URL } = context.values;
  if (url !== undefined && url === PLUGIN_URL) {
    return skipped('Without Supabase "last runs" tells whether deno task schedules runs the jobs.');
  }
  if (!url || !secret) return skipped("Not checked: it needs SUPABASE_URL and CRON_SECRET.");
  const answer = await ask(context, `${url}/functions/v1/${name}`, { headers: { apikey: secret } });
  if ("fault" in answer) {
    return {
      found: [
        wrong(
          `The edge function ${name} ${answer.fault}.`,
          "Look at SUPABASE_URL, and whether the project is paused.",
        ),
      ],
    };
  }
  if (answer.json?.code === "invalid_signature") {
    return {
      found: [wrong(
        `The edge function ${name} has another CRON_SECRET than the environment.`,
        "supabase secrets set CRON_SECRET=… with the value of .env, and run deno task stripe:setup for the vault.",
      )],
    };
  }
  if (answer.json?.ok !== true) return { found: [notOurs(name, answer)] };
  return sameVersion(`The edge function ${name}`, answer.json.version, DEPLOY);
}

/** Whether what is deployed is the release that the doctor belongs to. */
export function sameVersion(what: string, deployed: unknown, cure: string) {
  return foundOr(
    deployed === version
      ? []
      : [doubtful(`${what} is version ${deployed ?? "unknown"}, and this is ${version}.`, cure)],
    `${what} answers, version ${version}.`,
  );
}

/** The header of a webhook (https://docs.stripe.com/webhooks#verify-manually). */
export function signatureOf(body: string, secret: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

/** The addresses that Stripe sends to. Where the key may not read them, the edge function's. */
async function receivingUrls({ stripe, webhookUrls }: DoctorContext): Promise<string[]> {
  try {
    const endpoints = await stripe?.webhookEndpoints.list({ limit: 100 });
    const known = endpoints?.data.filter(({ url, status }) =>
      webhookUrls.includes(url) && status === "enabled"
    )
      .map(({ url }) => url) ?? [];
    if (known.length > 0) return [...new Set(known)];
  } catch {
    // "webhook endpoint" says what is wrong.
  }
  return webhookUrls.slice(0, 1);
}

export const functionChecks: Check[] = [
  {
    group,
    name: "reconcile",
    docs: SECRETS,
    run: (context) => scheduledFunction(context, "reconcile"),
  },
  {
    group,
    name: "report-usage",
    docs: SECRETS,
    run: (context) => scheduledFunction(context, "report-usage"),
  },
  {
    group,
    name: "webhook",
    docs: "docs/deploy.md#webhooks",
    async run(context) {
      const { STRIPE_WEBHOOK_SECRET: secrets } = context.values;
      const urls = await receivingUrls(context);
      if (!secrets || urls.length === 0) {
        return skipped("Not checked: it needs STRIPE_WEBHOOK_SECRET, and SUPABASE_URL or PLUGIN_URL.");
      }
      const found = await Promise.all(
        urls.flatMap((url) =>
          secrets.map(async (secret, index): Promise<Finding[]> => {
            // Signed, and yet no event: nothing is recorded.
            const body = JSON.stringify({ object: "dues.doctor" });
            const signature = signatureOf(body, secret, Math.floor(Date.now() / 1000));
            const answer = await ask(context, url, {
              method: "POST",
              body,
              headers: { "stripe-signature": signature },
            });
            if ("fault" in answer) {
              return [wrong(`The webhook ${url} ${answer.fault}.`, "Deploy it, and look at the address.")];
            }
            if (answer.json?.code === "invalid_event") return [];
            if (answer.json?.code === "invalid_signature") {
              return [wrong(
                `The webhook ${url} does not accept ${
                  secrets.length > 1 ? `secret ${index + 1} of ` : ""
                }STRIPE_WEBHOOK_SECRET: it has other secrets.`,
                "supabase secrets set STRIPE_WEBHOOK_SECRET=… with the value of .env.",
              )];
            }
            return [notOurs("stripe-webhook", answer)];
          })
        ),
      );
      return foundOr(
        once(found.flat()),
        `The webhook ${urls.join(" and ")} accepts every secret of STRIPE_WEBHOOK_SECRET.`,
      );
    },
  },
  {
    group,
    name: "a delivery of Stripe's",
    docs: "docs/deploy.md#webhooks",
    needs: ["stripe", "operator database", "schema"],
    async run(context) {
      const { stripe, operator, values, options } = context;
      const isLive = /_live_/.test(values.STRIPE_SECRET_KEY!);
      if (!(options.delivery ?? !isLive)) {
        return skipped(
          "Not tried. deno task doctor --delivery creates a customer in Stripe and deletes it; in live mode only when asked for.",
        );
      }
      const { id } = await stripe!.customers.create({
        name: "Dues doctor: a test delivery",
        metadata: { dues: "doctor" },
      });
      await stripe!.customers.del(id);
      const until = Date.now() + options.deliveryMs;
      while (true) {
        const [arrived] = await operator!`
          select id from billing.stripe_events where (object_id = ${id} or customer_id = ${id}) and type = 'customer.deleted' limit 1`;
        if (arrived) return right("A test event of Stripe's arrived and was recorded.");
        if (Date.now() > until) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return {
        found: [wrong(
          `A test event of Stripe's (customer.deleted of ${id}) did not arrive within ${
            options.deliveryMs / 1000
          } seconds.`,
          "Look at the endpoint's deliveries in Stripe's dashboard. An answer 400 means that STRIPE_WEBHOOK_SECRET is not the endpoint's: copy it from there.",
        )],
      };
    },
  },
];

const once = (findings: Finding[]) =>
  findings.filter(({ sentence }, index) =>
    findings.findIndex((other) => other.sentence === sentence) === index
  );
