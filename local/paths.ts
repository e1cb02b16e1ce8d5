import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder: the one that holds `supabase/`. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the local stack keeps its state: the database, the simulator's state, secrets. */
export const stateFolder = join(projectRoot, ".local");

/** A path inside the project, from its parts. */
export function projectPath(...parts: string[]): string {
  return join(projectRoot, ...parts);
}
