import { z } from "zod";
import { callDatabase, connectDatabase, type Database } from "../db/database.ts";
import { BillingError, FaultsError } from "../errors.ts";
import { guardedFeatures, guardedResources } from "./guarded_features.ts";

const faultsSchema = z.array(z.object({
  feature: z.string(),
  plan: z.string().nullable(),
  fault: z.enum(["unknown_feature", "no_limit", "no_resource_limit"]),
}));

/** Features or limits that the plugin needs are missing. The message has one line for each. */
export class QuotaConfigurationError extends FaultsError {
  override name = "QuotaConfigurationError";

  constructor(faults: string[]) {
    super(faults, { heading: "The limits are not complete:" });
  }
}

/**
 * Checks that everything the plugin limits has a limit on every plan.
 *
 * Throws `QuotaConfigurationError`, or `BillingError` `database_unavailable`.
 */
export async function checkQuotaConfiguration(
  db: Database,
  features: readonly string[] = guardedFeatures,
  resources: readonly string[] = guardedResources,
): Promise<void> {
  const faults = await callDatabase(
    faultsSchema,
    db`select billing.quota_faults(${[...features]}, ${[...resources]})`,
  );
  if (faults.length > 0) throw new QuotaConfigurationError(faults.map(describe));
}

function describe({ feature, plan, fault }: z.output<typeof faultsSchema>[number]): string {
  switch (fault) {
    case "unknown_feature":
      return `${feature}: there is no such feature. Add it to the table features.`;
    case "no_limit":
      return `${feature}: plan ${plan} has no limit within a window. Add one to the table plan_limits.`;
    case "no_resource_limit":
      return `${feature}: plan ${plan} has no limit of so many at once. Add one to plan_limits with quota_window 0.`;
  }
}

/**
 * The check at the start of the server. Ends the process with exit code 1 and the list of faults on stderr. An unreachable
 * database does not stop the start: the health check reports it, and each use reports what is not configured.
 */
export async function quotaConfigurationOrExit(databaseUrl: string): Promise<void> {
  await using db = connectDatabase(databaseUrl, { max: 1 });
  try {
    await checkQuotaConfiguration(db);
  } catch (error) {
    if (error instanceof QuotaConfigurationError) {
      console.error(error.message);
      Deno.exit(1);
    }
    if (!(error instanceof BillingError)) throw error;
    console.error(`The limits could not be checked: ${error.detail}`);
  }
}
