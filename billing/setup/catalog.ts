/** Creates the products, meters and prices of the plans file in Stripe. */
import Stripe from "stripe";
import { mainUnits } from "../money/minor_units.ts";
import type { FeatureInFile, PlanInFile, PlansFile } from "./plans_file.ts";
import type { SetupSteps } from "./setup_steps.ts";
import { isMissing } from "../stripe.ts";

/** The Stripe ids of what is sold. */
export interface Catalog {
  /** Price ids by plan code. */
  prices: Record<string, string>;
  /** The prices that bill the use of a feature on plans of that interval. */
  meteredPrices: { feature: string; billingInterval: string; priceId: string }[];
}

type Interval = "month" | "year";

/** Finds or creates everything that is sold. Throws Stripe's own errors. */
export async function ensureCatalog(stripe: Stripe, steps: SetupSteps, file: PlansFile): Promise<Catalog> {
  const catalog: Catalog = { prices: {}, meteredPrices: [] };
  const paid = file.plans.filter(({ price_cents }) => price_cents > 0);
  for (const plan of paid) {
    catalog.prices[plan.code] = await ensurePlanPrice(stripe, steps, plan, file.currency);
  }

  const intervals = [...new Set(paid.map((plan) => plan.billing_interval!))];
  for (const feature of file.features.filter(isMetered)) {
    const meter = await ensureMeter(stripe, steps, feature);
    for (const billingInterval of intervals) {
      const priceId = await ensureMeteredPrice(stripe, steps, feature, meter, billingInterval, file.currency);
      catalog.meteredPrices.push({ feature: feature.code, billingInterval, priceId });
    }
  }
  return catalog;
}

type MeteredFeature = FeatureInFile & { meter_event_name: string; unit_price_cents: number };

const isMetered = (feature: FeatureInFile): feature is MeteredFeature =>
  feature.meter_event_name !== undefined;

async function ensurePlanPrice(
  stripe: Stripe,
  steps: SetupSteps,
  plan: PlanInFile,
  currency: string,
): Promise<string> {
  const interval = plan.billing_interval!;
  return await ensurePrice(stripe, steps, {
    lookupKey: `dues_${plan.code}_${interval}`,
    what: `price of plan ${plan.code}: ${written(plan.price_cents, currency)} a ${interval}`,
    isSame: (price) => price.unit_amount === plan.price_cents && price.currency === currency,
    product: () => ensureProduct(stripe, steps, `dues_${plan.code}`, plan.name, { plan_code: plan.code }),
    params: {
      currency,
      unit_amount: plan.price_cents,
      recurring: { interval },
      metadata: { plan_code: plan.code },
    },
  });
}

/** The included quantity is a first tier that costs nothing (https://docs.stripe.com/products-prices/pricing-models). */
async function ensureMeteredPrice(
  stripe: Stripe,
  steps: SetupSteps,
  feature: MeteredFeature,
  meter: string,
  interval: Interval,
  currency: string,
): Promise<string> {
  const { code, included_quantity: included, unit_price_cents: cents } = feature;
  const afterIncluded = included > 0 ? ` after ${included} in a ${interval}` : "";
  // A price of other terms replaces this one, so the form of this text never changes.
  const terms = `${cents} cents (${currency}) a ${feature.unit}${afterIncluded}`;
  return await ensurePrice(stripe, steps, {
    lookupKey: `dues_feature_${code}_${interval}`,
    what: `metered price of ${code}: ${written(cents, currency)} a ${feature.unit}${afterIncluded}`,
    isSame: ({ metadata, recurring }) => metadata.terms === terms && recurring?.meter === meter,
    product: () => ensureProduct(stripe, steps, `dues_feature_${code}`, feature.name, { feature: code }),
    params: {
      currency,
      recurring: { interval, usage_type: "metered", meter },
      metadata: { feature: code, terms },
      ...(included > 0
        ? {
          billing_scheme: "tiered",
          tiers_mode: "graduated",
          tiers: [{ up_to: included, unit_amount: 0 }, { up_to: "inf", ...unitAmount(cents) }],
        }
        : unitAmount(cents)),
    },
  });
}

/** `29 USD` */
const written = (amount: number, currency: string) =>
  `${mainUnits(amount, currency)} ${currency.toUpperCase()}`;

/** Stripe accepts fractions of a cent only as decimals, with at most twelve places. */
const unitAmount = (cents: number) =>
  Number.isInteger(cents)
    ? { unit_amount: cents }
    : { unit_amount_decimal: Stripe.Decimal.from(cents.toFixed(12).replace(/0+$/, "")) };

interface WantedPrice {
  lookupKey: string;
  what: string;
  isSame: (price: Stripe.Price) => boolean;
  product: () => Promise<string>;
  params: Omit<Stripe.PriceCreateParams, "product" | "lookup_key">;
}

/**
 * Finds the price by its lookup key. The amount of a price cannot change, so for another amount this creates a new price and
 * moves the lookup key to it (https://docs.stripe.com/products-prices/manage-prices#lookup-keys).
 */
async function ensurePrice(stripe: Stripe, steps: SetupSteps, wanted: WantedPrice): Promise<string> {
  const { lookupKey, what, isSame, params } = wanted;
  const { data: [found] } = await stripe.prices.list({ lookup_keys: [lookupKey], active: true });
  const product = await wanted.product();
  if (found && isSame(found)) return found.id;
  return await steps.run(`${found ? "Replace" : "Create"} the ${what}`, async () => {
    const price = await stripe.prices.create({
      ...params,
      product,
      lookup_key: lookupKey,
      transfer_lookup_key: true,
    });
    if (found) await stripe.prices.update(found.id, { active: false });
    return price.id;
  }, `(${lookupKey})`);
}

/** The set-up chooses the product's id, so each plan and metered feature has one product. */
async function ensureProduct(
  stripe: Stripe,
  steps: SetupSteps,
  id: string,
  name: string,
  metadata: Record<string, string>,
): Promise<string> {
  const found = await retrieveProduct(stripe, id);
  if (!found) {
    await steps.run(
      `Create the product ${id}: ${name}`,
      () => stripe.products.create({ id, name, metadata }),
      null,
    );
  } else if (found.name !== name || !found.active) {
    await steps.run(
      `Change the product ${id}: ${name}`,
      () => stripe.products.update(id, { name, active: true }),
      null,
    );
  }
  return id;
}

async function retrieveProduct(stripe: Stripe, id: string): Promise<Stripe.Product | null> {
  try {
    return await stripe.products.retrieve(id);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Stripe has one meter for each event name, and only its display name can change. */
async function ensureMeter(stripe: Stripe, steps: SetupSteps, feature: MeteredFeature): Promise<string> {
  const { meter_event_name: eventName, name } = feature;
  for await (const meter of stripe.billing.meters.list({ limit: 100 })) {
    if (meter.event_name !== eventName) continue;
    if (meter.status === "inactive") {
      await steps.run(
        `Reactivate the meter ${eventName}`,
        () => stripe.billing.meters.reactivate(meter.id),
        null,
      );
    }
    return meter.id;
  }
  return await steps.run(`Create the meter ${eventName}: ${name}`, async () => {
    const meter = await stripe.billing.meters.create({
      display_name: name,
      event_name: eventName,
      default_aggregation: { formula: "sum" },
      customer_mapping: { type: "by_id", event_payload_key: "stripe_customer_id" },
      value_settings: { event_payload_key: "value" },
    });
    return meter.id;
  }, `(${eventName})`);
}
