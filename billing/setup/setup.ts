/**
 * Sets up a Stripe account and the database from the plans file: products, meters and prices, the billing portal's
 * configuration, and the destinations of Stripe's events. Safe to run again: it finds what it created before, and changes
 * what differs from the file. `deno task stripe:setup` runs it with an operator's connection (role postgres).
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
import { SetupSteps } from "./setup_steps.ts";

export interface StripeSetup {
  /** A sentence for each change, or in a dry run for each change it would make. Empty when everything was in place. */
  changes: string[];
  /** The price of each paid plan, by plan code. */
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
  /** The address for Stripe's events, thin events included. */
  webhookUrl: string;
  /** Changes nothing, and describes what it would change. */
  dryRun?: boolean;
}

/** Reads a plans file, by default the project's plans.toml. Throws `PlansFileError`, also when it cannot be read. */
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
 * Finds or creates everything. The database changes last and in one transaction, so that no plan is sold at a price that
 * Stripe does not have. Throws `PlansFileError`, Stripe's and the database's own errors.
 */
export async function setUpStripe(
  { stripe, sql, plans, webhookUrl, dryRun = false }: SetupOptions,
): Promise<StripeSetup> {
  const steps = new SetupSteps(dryRun);
  const catalog = await ensureCatalog(stripe, steps, plans);
  const portalConfigurationId = await ensurePortalConfiguration(stripe, steps);
  const webhookEndpoint = await ensureWebhookEndpoint(stripe, steps, webhookUrl);
  const thinEventDestination = await ensureThinEventDestination(stripe, steps, webhookUrl);
  await writePlans(sql, steps, plans, catalog);
  return {
    changes: steps.descriptions,
    prices: catalog.prices,
    portalConfigurationId,
    webhookEndpoint,
    thinEventDestination,
  };
}
