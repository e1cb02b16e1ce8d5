/**
 * Prepares a Stripe account for Dues: product and price of every paid plan, the billing portal's configuration and the
 * webhook endpoint. Safe to run again: it finds what it made before. `deno task stripe:setup` runs it with an operator's
 * connection (role postgres), because it writes the prices' ids into `plans`.
 */
import type postgres from "postgres";
import Stripe from "stripe";
import { z } from "zod";
import { handledEventTypes } from "./stripe_event.ts";

export interface StripeSetup {
  /** The price made or found for each paid plan, by plan code. */
  prices: Record<string, string>;
  portalConfigurationId: string;
  webhookEndpointId: string;
  /** Stripe shows it once, when the endpoint is made; null when it was there already. */
  webhookSecret: string | null;
}

const planSchema = z.object({
  code: z.string(),
  name: z.string(),
  price_cents: z.number(),
  currency: z.string(),
  billing_interval: z.enum(["month", "year"]),
});
type PaidPlan = z.output<typeof planSchema>;

/** Makes or finds everything. `sql` is an operator's connection. Throws Stripe's and the database's own errors. */
export async function setUpStripe(
  { stripe, sql, webhookUrl }: { stripe: Stripe; sql: postgres.Sql; webhookUrl: string },
): Promise<StripeSetup> {
  const rows = await sql`
    select code, name, price_cents, currency, billing_interval from public.plans where price_cents > 0 order by rank`;
  const plans = z.array(planSchema).parse(rows);

  const prices: Record<string, string> = {};
  for (const plan of plans) {
    prices[plan.code] = await ensurePrice(stripe, plan);
    await sql`update public.plans set stripe_price_id = ${prices[plan.code]} where code = ${plan.code}`;
  }
  const [portalConfigurationId, webhook] = await Promise.all([
    ensurePortalConfiguration(stripe),
    ensureWebhookEndpoint(stripe, webhookUrl),
  ]);
  return { prices, portalConfigurationId, ...webhook };
}

/**
 * A price never changes its amount, so the plan's lookup key moves to a new one when the plan's price has changed
 * (https://docs.stripe.com/products-prices/manage-prices#lookup-keys).
 */
async function ensurePrice(stripe: Stripe, plan: PaidPlan): Promise<string> {
  const lookupKey = `dues_${plan.code}_${plan.billing_interval}`;
  const { data: [found] } = await stripe.prices.list({ lookup_keys: [lookupKey], active: true });
  if (found && found.unit_amount === plan.price_cents && found.currency === plan.currency) return found.id;

  const price = await stripe.prices.create({
    product: await ensureProduct(stripe, plan),
    currency: plan.currency,
    unit_amount: plan.price_cents,
    recurring: { interval: plan.billing_interval },
    lookup_key: lookupKey,
    transfer_lookup_key: true,
    metadata: { plan_code: plan.code },
  });
  if (found) await stripe.prices.update(found.id, { active: false });
  return price.id;
}

/** The product's id is our own choice, so there can be only one for each plan. */
async function ensureProduct(stripe: Stripe, plan: PaidPlan): Promise<string> {
  const id = `dues_${plan.code}`;
  try {
    await stripe.products.retrieve(id);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError) || error.code !== "resource_missing") {
      throw error;
    }
    await stripe.products.create({ id, name: plan.name, metadata: { plan_code: plan.code } });
  }
  return id;
}

async function ensurePortalConfiguration(stripe: Stripe): Promise<string> {
  for await (const configuration of stripe.billingPortal.configurations.list({ active: true, limit: 100 })) {
    if (configuration.metadata?.dues === "portal") return configuration.id;
  }
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: "at_period_end" },
    },
    metadata: { dues: "portal" },
  });
  return configuration.id;
}

/** The endpoint's API version is fixed when it is made; payloads then fit what this code reads. */
async function ensureWebhookEndpoint(
  stripe: Stripe,
  url: string,
): Promise<{ webhookEndpointId: string; webhookSecret: string | null }> {
  for await (const endpoint of stripe.webhookEndpoints.list({ limit: 100 })) {
    if (endpoint.url === url && endpoint.api_version === Stripe.API_VERSION) {
      await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: [...handledEventTypes] });
      return { webhookEndpointId: endpoint.id, webhookSecret: null };
    }
  }
  const endpoint = await stripe.webhookEndpoints.create({
    url,
    enabled_events: [...handledEventTypes],
    api_version: Stripe.API_VERSION,
    description: "Dues",
  });
  return { webhookEndpointId: endpoint.id, webhookSecret: endpoint.secret ?? null };
}
