import { projectRoot } from "../../local/paths.ts";

const BUILT_VARIABLE = "DUES_TEST_BUILT";

/** Builds the plugin with its examples into `_fresh/`, unless this test run has done so. */
export async function buildApp(): Promise<void> {
  if (Deno.env.get(BUILT_VARIABLE)) return;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "dev.ts", "build"],
    cwd: projectRoot,
    env: { DUES_EXAMPLES: "true" },
  }).output();
  if (!success) {
    const text = new TextDecoder();
    throw new Error(`The plugin does not build:\n${text.decode(stdout)}${text.decode(stderr)}`);
  }
  Deno.env.set(BUILT_VARIABLE, "1");
}
