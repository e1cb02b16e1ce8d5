/** Runs operator's tasks in a process of their own. */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Operator {
  /** The address of the database for role `postgres`. */
  databaseUrl: string;
  stripeUrl: string;
}

/** Runs a file of `billing/tasks` with only the environment variables it needs. */
export async function runOperatorTask(
  { databaseUrl, stripeUrl }: Operator,
  file: string,
  args: string[] = [],
): Promise<{ success: boolean; out: string; err: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      "--allow-read",
      `billing/tasks/${file}`,
      ...args,
    ],
    cwd: root,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      NO_COLOR: "1",
      OPERATOR_DB_URL: databaseUrl,
      STRIPE_SECRET_KEY: "sk_test_operator",
      STRIPE_API_BASE: stripeUrl,
      SUPABASE_URL: "http://127.0.0.1:1",
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, out: text(stdout), err: text(stderr) };
}
