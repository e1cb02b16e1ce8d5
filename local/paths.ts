import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder: the one that holds `supabase/`. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the local stack keeps what should outlive it: the database, the simulator's state, secrets, logs. */
export const stateFolder = join(projectRoot, ".local");

/** A path inside the project, from its parts. */
export function projectPath(...parts: string[]): string {
  return join(projectRoot, ...parts);
}
