/** Runs operators' tasks as an operator does. */
import { runDeno } from "./run_deno.ts";

export interface Operator {
  /** The address of the database for role `postgres`. */
  databaseUrl: string;
  stripeUrl: string;
  stripeKey?: string;
  supabaseUrl?: string;
}

/** Runs a file of `billing/tasks` with nothing in its environment but what it needs. */
export async function runOperatorTask(
  { databaseUrl, stripeUrl, stripeKey = "sk_test_operator", supabaseUrl = "http://127.0.0.1:1" }: Operator,
  file: string,
  args: string[] = [],
): Promise<{ success: boolean; out: string; err: string }> {
  const permissions = ["--allow-net", "--allow-env", "--allow-sys", "--allow-read"];
  const { code, stdout, stderr } = await runDeno(
    ["run", "--no-check", ...permissions, `billing/tasks/${file}`, ...args],
    {
      OPERATOR_DB_URL: databaseUrl,
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_API_BASE: stripeUrl,
      SUPABASE_URL: supabaseUrl,
    },
  );
  return { success: code === 0, out: stdout, err: stderr };
}
