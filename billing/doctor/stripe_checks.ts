/** The Stripe account: the key and what it may do, and everything that the set-up made. */
import { isDeepStrictEqual } from "node:util";
import Stripe from "stripe";
import { handledEventTypes } from "../events/read_event.ts";
import { handledThinEventTypes } from "../events/thin_event.ts";
import { PlansFileError } from "../setup/plans_file.ts";
import { loadPlans, setUpStripe } from "../setup/setup.ts";
import { isMissing } from "../stripe.ts";
import { type Check, doubtful, type Finding, foundOr, right, skipped, wrong } from "./check.ts";
import type { DoctorContext } from "./context.ts";

const group = "Stripe";
const SETUP = "Run deno task stripe:setup.";

/** No object has this id, so a request that names it is refused after its permission was checked, and changes nothing. */
const NOTHING = "dues_doctor_nothing";

/** Every permission that Dues needs, with a request that changes nothing and is refused without it. */
const permissions: [name: string, probe: (stripe: Stripe) => Promise<unknown>][] = [
  ["Customers: write", (stripe) => stripe.customers.update(NOTHING, { metadata: { dues: "" } })],
  ["Checkout Sessions: write", (stripe) => stripe.checkout.sessions.expire(NOTHING)],
  [
    "Customer portal: write",
    (stripe) =>
      stripe.billingPortal.sessions.create({ customer: NOTHING, return_url: "https://dues.example/" }),
  ],
  ["Subscriptions: read", (stripe) => stripe.subscriptions.list({ limit: 1 })],
  ["Invoices: read", (stripe) => stripe.invoices.list({ limit: 1 })],
  ["Events: read", (stripe) => stripe.events.list({ limit: 1 })],
  ["Prices: read", (stripe) => stripe.prices.list({ limit: 1 })],
  ["Products: read", (stripe) => stripe.products.list({ limit: 1 })],
];
/** Those that metered features need, too. */
const meteredPermissions: typeof permissions = [
  ["Meters: read", (stripe) => stripe.billing.meters.list({ limit: 1 })],
  [
    "Meter events: write",
    (stripe) => stripe.billing.meterEvents.create({ event_name: NOTHING, payload: {} }),
  ],
];

const isRefused = (error: unknown): error is Stripe.errors.StripeError =>
  error instanceof Stripe.errors.StripePermissionError ||
  error instanceof Stripe.errors.StripeError && error.statusCode === 403;

interface SoldPlan {
  code: string;
  price: string | null;
  cents: number;
  currency: string;
  interval: string;
}

async function metersOf({ operator }: DoctorContext): Promise<{ code: string; event: string }[]> {
  return await operator!`
    select code, meter_event_name as event from public.features where meter_event_name is not null order by code`;
}

export const stripeChecks: Check[] = [
  {
    group,
    name: "key",
    docs: "docs/deploy.md#the-stripe-account",
    establishes: "stripe",
    async run({ stripe, values }) {
      if (!stripe) return skipped("Not checked: it needs STRIPE_SECRET_KEY.");
      const where = values.STRIPE_API_BASE ?? "https://api.stripe.com";
      try {
        await stripe.subscriptions.list({ limit: 1 });
      } catch (error) {
        if (error instanceof Stripe.errors.StripeAuthenticationError) {
          return {
            found: [wrong(
              "Stripe does not know STRIPE_SECRET_KEY: it was mistyped, revoked or has expired.",
              "Take the key anew from Stripe's dashboard: Developers, API keys.",
            )],
          };
        }
        if (!isRefused(error)) {
          const why = error instanceof Error ? error.message : String(error);
          return {
            found: [wrong(
              `Stripe cannot be reached at ${where}: ${why.slice(0, 160)}`,
              "Look at https://status.stripe.com, and whether this machine may connect there.",
            )],
          };
        }
      }
      return right(`Stripe knows STRIPE_SECRET_KEY, at ${where}.`);
    },
  },
  {
    group,
    name: "permissions of the key",
    docs: "docs/deploy.md#a-restricted-key",
    needs: ["stripe", "schema"],
    async run(context) {
      const wanted = (await metersOf(context)).length > 0
        ? [...permissions, ...meteredPermissions]
        : permissions;
      const lacking = await Promise.all(wanted.map(async ([name, probe]) => {
        try {
          await probe(context.stripe!);
        } catch (error) {
          // Any other refusal comes after the permission was checked.
          return isRefused(error) ? [name] : [];
        }
        return [];
      }));
      return foundOr(
        lacking.flat().map((name) =>
          wrong(
            `STRIPE_SECRET_KEY lacks the permission "${name}".`,
            "Add it to the restricted key in Stripe's dashboard: Developers, API keys.",
          )
        ),
        `STRIPE_SECRET_KEY has every permission that is needed (${wanted.length} tried).`,
      );
    },
  },
  {
    group,
    name: "prices",
    docs: "docs/deploy.md#plans-and-prices",
    needs: ["stripe", "schema"],
    async run({ stripe, operator }) {
      const plans = await operator!<SoldPlan[]>`
        select code, stripe_price_id as price, price_cents as cents, currency, billing_interval as interval
        from public.plans where is_active and price_cents > 0 order by code`;
      if (plans.length === 0) {
        return {
          found: [doubtful("No plan has a price, so nobody can pay.", "Add one to plans.toml. " + SETUP)],
        };
      }
      const found = await Promise.all(plans.map((plan) => priceFindings(stripe!, plan)));
      return foundOr(
        found.flat(),
        `Each of ${plans.length} plans is sold at its price in this Stripe account.`,
      );
    },
  },
  {
    group,
    name: "meters",
    docs: "docs/metered-billing.md",
    needs: ["stripe", "schema"],
    async run(context) {
      const features = await metersOf(context);
      if (features.length === 0) return right("No feature is billed by use.");
      const meters = new Map<string, Stripe.Billing.Meter>();
      for await (const meter of context.stripe!.billing.meters.list({ limit: 100 })) {
        meters.set(meter.event_name, meter);
      }
      const found = features.flatMap(({ code, event }) => {
        const meter = meters.get(event);
        if (!meter) {
          return [
            wrong(`Stripe has no meter ${event} for the feature ${code}: its use is not billed.`, SETUP),
          ];
        }
        if (meter.status !== "active") {
          return [
            wrong(`Stripe's meter ${event} of the feature ${code} is not active: its use is refused.`, SETUP),
          ];
        }
        return [];
      });
      const priceless = await context.operator!<{ code: string }[]>`
        select f.code from public.features f
        where f.meter_event_name is not null
          and not exists (select from billing.metered_prices m where m.feature = f.code) order by f.code`;
      found.push(
        ...priceless.map(({ code }) =>
          wrong(`The feature ${code} has no metered price: its use is counted and never billed.`, SETUP)
        ),
      );
      return foundOr(found, `Stripe has an active meter for each of ${features.length} metered features.`);
    },
  },
  {
    group,
    name: "plans.toml",
    docs: "docs/deploy.md#plans-and-prices",
    needs: ["stripe", "schema"],
    async run({ stripe, operator, options, webhookUrls }) {
      try {
        const { changes } = await setUpStripe({
          stripe: stripe!,
          sql: operator!,
          plans: await loadPlans(options.plansFile),
          webhookUrl: webhookUrls[0] ?? "",
          dryRun: true,
        });
        // Other checks say more of the other changes.
        const differing = changes.filter((change) =>
          /^(Database|Create the (price|metered)|Replace|Change the product)/.test(change)
        );
        if (differing.length === 0) return right("Stripe and the database say what plans.toml says.");
        const more = differing.length > 1 ? ` (and ${differing.length - 1} more)` : "";
        return {
          found: [
            doubtful(`The set-up would change: ${differing[0]}${more}`, SETUP + " --dry-run shows all."),
          ],
        };
      } catch (error) {
        if (error instanceof PlansFileError) return { found: [wrong(error.message, "Correct plans.toml.")] };
        if (isRefused(error)) {
          return skipped("Not checked: a restricted key may not read all that the set-up made.");
        }
        throw error;
      }
    },
  },
  {
    group,
    name: "billing portal",
    docs: "docs/deploy.md#the-billing-portal",
    needs: ["stripe"],
    async run({ stripe, values: { STRIPE_PORTAL_CONFIGURATION_ID: id } }) {
      let configuration: Stripe.BillingPortal.Configuration | undefined;
      try {
        configuration = id
          ? await stripe!.billingPortal.configurations.retrieve(id)
          : (await stripe!.billingPortal.configurations.list({ is_default: true, limit: 1 })).data[0];
      } catch (error) {
        if (isRefused(error)) {
          return skipped("Not checked: the key may not read the portal's configurations.");
        }
        if (!isMissing(error)) throw error;
      }
      if (!configuration) {
        return {
          found: [wrong(
            id
              ? `Stripe has no portal configuration ${id}: it is of another account or mode.`
              : "STRIPE_PORTAL_CONFIGURATION_ID is not set, and the account has no default configuration of the portal.",
            SETUP + " It prints STRIPE_PORTAL_CONFIGURATION_ID.",
          )],
        };
      }
      const found: Finding[] = [];
      if (!configuration.active) {
        found.push(wrong(
          `The portal configuration ${configuration.id} is not active.`,
          "Remove STRIPE_PORTAL_CONFIGURATION_ID and " + SETUP[0].toLowerCase() + SETUP.slice(1),
        ));
      }
      const { payment_method_update: card, subscription_cancel: cancel } = configuration.features;
      if (!card.enabled) {
        found.push(doubtful(`In the portal ${configuration.id} nobody can replace a card.`, PORTAL));
      }
      if (!cancel.enabled) {
        found.push(doubtful(`In the portal ${configuration.id} nobody can cancel.`, PORTAL));
      }
      return foundOr(found, `The portal ${configuration.id} is active, for cards and for cancelling.`);
    },
  },
  {
    group,
    name: "webhook endpoint",
    docs: "docs/deploy.md#webhooks",
    needs: ["stripe"],
    async run(context) {
      const { stripe, webhookUrls } = context;
      if (webhookUrls.length === 0) return skipped("Not checked: it needs SUPABASE_URL or PLUGIN_URL.");
      const all: Stripe.WebhookEndpoint[] = [];
      try {
        for await (const endpoint of stripe!.webhookEndpoints.list({ limit: 100 })) all.push(endpoint);
      } catch (error) {
        if (isRefused(error)) return skipped("Not checked: the key may not read webhook endpoints.");
        throw error;
      }
      const ours = all.filter(({ url }) => webhookUrls.includes(url));
      const enabled = ours.filter(({ status }) => status === "enabled");
      if (ours.length === 0) {
        const elsewhere = all.find(({ description }) => description === "Dues");
        return {
          found: [wrong(
            elsewhere
              ? `Stripe's webhook endpoint leads to ${elsewhere.url} and not to ${webhookUrls[0]}.`
              : `Stripe has no webhook endpoint ${webhookUrls[0]}: nobody who pays gets a plan.`,
            SETUP + " It prints the new signing secret.",
          )],
        };
      }
      const found: Finding[] = [];
      if (enabled.length === 0) {
        found.push(wrong(
          `Stripe's webhook endpoint ${
            ours[0].url
          } is disabled: Stripe does so after days of failing deliveries.`,
          "Mend what failed, then enable it in Stripe's dashboard: Developers, Webhooks.",
        ));
      }
      if (new Set(enabled.map(({ url }) => url)).size > 1) {
        found.push(doubtful(
          "Stripe sends every event to both the edge function and the server.",
          "Delete one of the two endpoints in Stripe's dashboard.",
        ));
      }
      for (const { url, api_version, enabled_events } of enabled) {
        const lacking = handledEventTypes.filter((type) =>
          !enabled_events.some((each) => each === type || each === "*")
        );
        if (lacking.length > 0) {
          found.push(wrong(
            `Stripe's webhook endpoint ${url} does not send ${lacking.length} of ${handledEventTypes.length} event types, such as ${
              lacking[0]
            }.`,
            SETUP,
          ));
        }
        if (api_version !== Stripe.API_VERSION) {
          found.push(doubtful(
            `Stripe's webhook endpoint ${url} has API version ${
              api_version ?? "of the account"
            } and not ${Stripe.API_VERSION}: each event costs a question.`,
            SETUP + " It makes a new endpoint; then delete this one.",
          ));
        }
      }
      return foundOr(
        found,
        `Stripe's webhook endpoint ${enabled[0]?.url} is enabled, with every event type.`,
      );
    },
  },
  {
    group,
    name: "thin event destination",
    docs: "docs/metered-billing.md",
    needs: ["stripe", "schema"],
    async run(context) {
      const { stripe, webhookUrls } = context;
      const isMetered = (await metersOf(context)).length > 0;
      const severity = isMetered ? wrong : doubtful;
      try {
        for await (
          const { event_payload, webhook_endpoint, enabled_events, status } of stripe!.v2.core
            .eventDestinations.list({
              include: ["webhook_endpoint.url"],
            })
        ) {
          const url = webhook_endpoint?.url ?? "";
          if (event_payload !== "thin" || !webhookUrls.includes(url)) continue;
          const found: Finding[] = [];
          if (status !== "enabled") {
            found.push(severity(
              `Stripe's destination of thin events ${url} is disabled: usage that Stripe refuses stays unnoticed.`,
              "Enable it in Stripe's dashboard: Developers, Webhooks.",
            ));
          }
          if (!isDeepStrictEqual(new Set(enabled_events), new Set(handledThinEventTypes))) {
            found.push(severity(`Stripe's destination of thin events ${url} lacks event types.`, SETUP));
          }
          return foundOr(found, `Stripe's destination of thin events ${url} is enabled.`);
        }
      } catch (error) {
        if (isRefused(error)) return skipped("Not checked: the key may not read event destinations.");
        throw error;
      }
      return {
        found: [
          severity(
            "Stripe has no destination of thin events: usage that Stripe refuses stays unnoticed.",
            SETUP,
          ),
        ],
      };
    },
  },
];

const PORTAL = "Allow it in Stripe's dashboard: Settings, Billing, Customer portal.";

async function priceFindings(
  stripe: Stripe,
  { code, price: id, cents, currency, interval }: SoldPlan,
): Promise<Finding[]> {
  if (id === null) return [wrong(`The plan ${code} has no price in Stripe, so nobody can buy it.`, SETUP)];
  let price: Stripe.Price;
  try {
    price = await stripe.prices.retrieve(id, { expand: ["product"] });
  } catch (error) {
    if (isRefused(error)) return []; // "permissions of the key" says so
    if (!isMissing(error)) throw error;
    return [wrong(
      `Stripe has no price ${id} of the plan ${code}: STRIPE_SECRET_KEY is of another account or mode than the database.`,
      "Use the key of the account that the database was set up with, or " + SETUP[0].toLowerCase() +
        SETUP.slice(1),
    )];
  }
  const found: Finding[] = [];
  if (!price.active) {
    found.push(wrong(`The price ${id} of the plan ${code} is archived in Stripe: nobody can buy it.`, SETUP));
  }
  const product = price.product as Stripe.Product | Stripe.DeletedProduct;
  if (product.deleted || !product.active) {
    found.push(wrong(`The product of the plan ${code} is archived in Stripe: nobody can buy it.`, SETUP));
  }
  const sold = `${price.unit_amount} ${price.currency} a ${price.recurring?.interval}`;
  const shown = `${cents} ${currency} a ${interval}`;
  if (sold !== shown) {
    found.push(wrong(`The plan ${code} shows a price of ${shown}, and Stripe charges ${sold}.`, SETUP));
  }
  return found;
}
