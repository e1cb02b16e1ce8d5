/** Runs operators' tasks as an operator does. */
import { runDeno } from "./run_deno.ts";

export interface Operator {
  /** The address of the database for role `postgres`. */
  databaseUrl: string;
  stripeUrl: string;
}

/** Runs a file of `billing/tasks` with nothing in its environment but what it needs. */
export async function runOperatorTask(
  { databaseUrl, stripeUrl }: Operator,
  file: string,
  args: string[] = [],
): Promise<{ success: boolean; out: string; err: string }> {
  const permissions = ["--allow-net", "--allow-env", "--allow-sys", "--allow-read"];
  const { code, stdout, stderr } = await runDeno(
    ["run", "--no-check", ...permissions, `billing/tasks/${file}`, ...args],
    {
      OPERATOR_DB_URL: databaseUrl,
      STRIPE_SECRET_KEY: "sk_test_operator",
      STRIPE_API_BASE: stripeUrl,
      SUPABASE_URL: "http://127.0.0.1:1",
    },
  );
  return { success: code === 0, out: stdout, err: stderr };
}
