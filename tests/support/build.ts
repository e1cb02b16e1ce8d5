import { runDeno } from "./run_deno.ts";

const BUILT_VARIABLE = "DUES_TEST_BUILT";

/** Builds the plugin with its examples into `_fresh/`, unless this test run has done so. */
export async function buildApp(): Promise<void> {
  if (Deno.env.get(BUILT_VARIABLE)) return;
  const { code, stdout, stderr } = await runDeno(["run", "--allow-all", "dev.ts", "build"], {
    DUES_EXAMPLES: "true",
  });
  if (code !== 0) throw new Error(`The plugin does not build:\n${stdout}${stderr}`);
  Deno.env.set(BUILT_VARIABLE, "1");
}
