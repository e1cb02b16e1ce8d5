/** The hashes by which released migrations are frozen. */
import { readMigrationFiles } from "../billing/db/migration_files.ts";

export const frozenMigrationsFile = new URL("../supabase/frozen_migrations.json", import.meta.url);

/** SHA-256 of each migration, by its file's name, in order. */
export async function hashesOfMigrations(): Promise<Record<string, string>> {
  const files = await readMigrationFiles(new URL("../supabase/migrations/", import.meta.url));
  const hashes = files.map(async ({ file, text }) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return [file, new Uint8Array(digest).toHex()];
  });
  return Object.fromEntries(await Promise.all(hashes));
}
