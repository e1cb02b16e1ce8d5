/** `deno task doctor`: everything that has to be right for people to be able to pay, one check after the other. */
import { accessChecks } from "./access_checks.ts";
import { activityChecks } from "./activity_checks.ts";
import { appChecks } from "./app_checks.ts";
import { type Check, type CheckResult, runChecks } from "./check.ts";
import { doctorContext, type DoctorOptions } from "./context.ts";
import { databaseChecks } from "./database_checks.ts";
import { environmentChecks } from "./environment_checks.ts";
import { functionChecks } from "./function_checks.ts";
import { scheduleChecks } from "./schedule_checks.ts";
import { stripeChecks } from "./stripe_checks.ts";

/** Every check, in the order of the report. */
export const checks: readonly Check[] = [
  ...environmentChecks,
  ...databaseChecks,
  ...accessChecks,
  ...stripeChecks,
  ...scheduleChecks,
  ...functionChecks,
  ...appChecks,
  ...activityChecks,
];

/** What the doctor found. */
export interface Diagnosis {
  /** Whether no check found an error. Warnings do not count. */
  ok: boolean;
  results: CheckResult[];
}

/**
 * Runs every check on an environment. Changes nothing but, in Stripe's test mode, a customer that it creates and deletes to
 * see a webhook arrive.
 */
export async function diagnose(
  env: Record<string, string | undefined>,
  options: Partial<DoctorOptions> & { deadlineMs?: number } = {},
): Promise<Diagnosis> {
  await using context = doctorContext(env, options);
  const results = await runChecks(checks, context, options);
  return { ok: results.every(({ status }) => status !== "error"), results };
}
