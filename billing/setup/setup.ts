/**
 * Prepares a Stripe account and the database for Dues, as the plans file says: products, meters and prices, the billing
 * portal's configuration, and where Stripe sends its events. Safe to run again: it finds what it made before, and changes
 * what the file says otherwise. `deno task stripe:setup` runs it with an operator's connection (role postgres).
 */
import type { Pool } from "../db/sql.ts";
import type Stripe from "stripe";
import { type PlansFile, PlansFileError, readPlansFile } from "./plans_file.ts";
import { ensureCatalog } from "./catalog.ts";
import { writePlans } from "./plan_rows.ts";
import {
  type EnsuredEndpoint,
  ensurePortalConfiguration,
  ensureThinEventDestination,
  ensureWebhookEndpoint,
} from "./endpoints.ts";
import { Steps } from "./setup_steps.ts";

export interface StripeSetup {
  /** What was changed, or would be in a dry run, a sentence each. Empty when everything was in place. */
  changes: string[];
  /** The price made or found for each paid plan, by plan code. */
  prices: Record<string, string>;
  portalConfigurationId: string;
  webhookEndpoint: EnsuredEndpoint;
  thinEventDestination: EnsuredEndpoint;
}

export interface SetupOptions {
  stripe: Stripe;
  /** An operator's connection. */
  sql: Pool;
  plans: PlansFile;
  /** Where Stripe's events of both kinds go. */
  webhookUrl: string;
  /** Only looks, and tells what it would change. */
  dryRun?: boolean;
}

/** Reads a plans file; the project's own when none is named. Throws `PlansFileError`, also when it cannot be read. */
export async function loadPlans(path?: string): Promise<PlansFile> {
  try {
    const text = await Deno.readTextFile(path ?? new URL("../../plans.toml", import.meta.url));
    return readPlansFile(text, path ?? "plans.toml");
  } catch (error) {
    if (error instanceof PlansFileError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PlansFileError([`${path ?? "plans.toml"}: ${why}`], { cause: error });
  }
}

/**
 * Makes or finds everything. The database changes last and at once, so that no plan is ever sold at a price that Stripe
 * does not have. Throws `PlansFileError`, Stripe's and the database's own errors.
 */
export async function setUpStripe(
  { stripe, sql, plans, webhookUrl, dryRun = false }: SetupOptions,
): Promise<StripeSetup> {
  const steps = new Steps(dryRun);
  const catalog = await ensureCatalog(stripe, steps, plans);
  const portalConfigurationId = await ensurePortalConfiguration(stripe, steps);
  const webhookEndpoint = await ensureWebhookEndpoint(stripe, steps, webhookUrl);
  const thinEventDestination = await ensureThinEventDestination(stripe, steps, webhookUrl);
  await writePlans(sql, steps, plans, catalog);
  return {
    changes: steps.told,
    prices: catalog.prices,
    portalConfigurationId,
    webhookEndpoint,
    thinEventDestination,
  };
}
