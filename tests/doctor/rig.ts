/** One whole installation for the doctor's tests, with what hosted Supabase has besides. */
import assert from "node:assert/strict";
import { diagnose, type Diagnosis } from "../../billing/doctor/diagnosis.ts";
import type { DoctorOptions } from "../../billing/doctor/context.ts";
import type { Pool } from "../../billing/db/sql.ts";
import { loadPlans, setUpStripe } from "../../billing/setup/setup.ts";
import { connectStripe } from "../../billing/stripe.ts";
import type Stripe from "stripe";
import { projectPath } from "../../local/paths.ts";
import { startEphemeralCluster } from "../../local/postgres/ephemeral_cluster.ts";
import { Children } from "../../local/processes/children.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

export interface Installation extends AsyncDisposable {
  stack: TestStack;
  /** The environment of an operator, complete. */
  env: Record<string, string>;
  /** As role postgres. */
  sql: Pool;
  /** As superuser. */
  superuser: Pool;
  stripe: Stripe;
  diagnose(env?: Record<string, string | undefined>, options?: Partial<DoctorOptions>): Promise<Diagnosis>;
}

/** Starts everything and runs the set-up, as docs/deploy.md says. */
export async function startInstallation(): Promise<Installation> {
  // Roles belong to the cluster, and other test files use theirs at the same time.
  const children = new Children();
  const stack = await startTestStack({ cluster: await startEphemeralCluster(children) });
  const sql = stack.database.connect("postgres", { max: 2 });
  const superuser = stack.database.connect("supabase_admin", { max: 1 });
  await sql.script(await Deno.readTextFile(projectPath("tests", "support", "hosted_extensions.sql")));
  const stripe = connectStripe({ secretKey: stack.keys.stripeSecretKey, apiBase: stack.urls.stripe });
  const env: Record<string, string> = {
    ...stack.env,
    OPERATOR_DB_URL: stack.urls.postgres,
    SUPABASE_URL: stack.urls.supabase,
    CRON_SECRET: stack.keys.cronSecret,
  };
  const { todo } = await setUpStripe({
    stripe,
    sql,
    plans: await loadPlans(),
    webhookUrl: `${stack.urls.supabase}/functions/v1/stripe-webhook`,
    schedules: { projectUrl: stack.urls.supabase, cronSecret: stack.keys.cronSecret },
  });
  assert.deepEqual(todo, []);
  for (const name of ["reconcile", "report-usage"]) {
    const answer = await fetch(`${stack.urls.supabase}/functions/v1/${name}`, {
      method: "POST",
      headers: { apikey: stack.keys.cronSecret },
    });
    assert.equal(answer.status, 200, await answer.text());
  }
  return {
    stack,
    env,
    sql,
    superuser,
    stripe,
    diagnose: (changes = {}, options = {}) =>
      diagnose({ ...env, ...changes }, { deliveryMs: 1_000, answerMs: 3_000, deadlineMs: 8_000, ...options }),
    async [Symbol.asyncDispose]() {
      await stack.stop();
      await children.stop();
    },
  };
}

/** The lines of a diagnosis that are not right, as text for messages. */
export const shown = ({ results }: Diagnosis) =>
  results.filter(({ status }) => status !== "right").map(({ status, group, name, sentence }) =>
    `${status} ${group}/${name}: ${sentence}`
  );
