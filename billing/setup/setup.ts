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
import { ensureSchedules } from "./schedules.ts";
import { SetupSteps } from "./setup_steps.ts";

export interface StripeSetup {
  /** A sentence for each change, or in a dry run for each change it would make. Empty when everything was in place. */
  changes: string[];
  /** The price of each paid plan, by plan code. */
  prices: Record<string, string>;
  portalConfigurationId: string;
  webhookEndpoint: EnsuredEndpoint;
  thinEventDestination: EnsuredEndpoint;
  /** What only the operator can do, as sentences. Empty when nothing is left. */
  todo: string[];
}

export interface SetupOptions {
  stripe: Stripe;
  /** An operator's connection. */
  sql: Pool;
  plans: PlansFile;
  /** The address for Stripe's events, thin events included. */
  webhookUrl: string;
  /** For the schedules in the database: the project's address, and the secret of the scheduled functions. */
  schedules?: { projectUrl: string; cronSecret?: string };
  /**
   * Called at once with each signing secret that Stripe made, because Stripe's API tells it only once and a later step may
   * fail.
   */
  onSecret?: (secret: string) => void;
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
 * Finds or creates everything. The database changes after Stripe's prices and in one transaction, so that no plan is sold at
 * a price that Stripe does not have; what has a signing secret comes after all that may fail. Throws `PlansFileError`,
 * Stripe's and the database's own errors.
 */
export async function setUpStripe(
  { stripe, sql, plans, webhookUrl, schedules, onSecret = () => {}, dryRun = false }: SetupOptions,
): Promise<StripeSetup> {
  const steps = new SetupSteps(dryRun);
  const catalog = await ensureCatalog(stripe, steps, plans);
  const portalConfigurationId = await ensurePortalConfiguration(stripe, steps);
  await writePlans(sql, steps, plans, catalog);
  const todo = schedules ? await ensureSchedules(sql, steps, schedules) : [];
  const webhookEndpoint = await ensureWebhookEndpoint(stripe, steps, webhookUrl);
  if (webhookEndpoint.secret) onSecret(webhookEndpoint.secret);
  const thinEventDestination = await ensureThinEventDestination(stripe, steps, webhookUrl);
  if (thinEventDestination.secret) onSecret(thinEventDestination.secret);
  return {
    changes: steps.descriptions,
    prices: catalog.prices,
    portalConfigurationId,
    webhookEndpoint,
    thinEventDestination,
    todo,
  };
}
