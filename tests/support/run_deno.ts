import { projectRoot } from "../../local/paths.ts";
import { commonEnvironment } from "../../local/processes/children.ts";

/** How a program ended, and what it printed. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `deno` in the project's folder to its end, with nothing but `env` and what any program needs in its environment. */
export async function runDeno(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: projectRoot,
    env: { ...commonEnvironment(), ...env },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
