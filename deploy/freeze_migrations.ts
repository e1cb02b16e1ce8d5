/**
 * `deno task freeze:migrations`: adds every migration that is not listed yet, with the hash of its text, to
 * `supabase/frozen_migrations.json`. Part of making a release from 1.0.0 on. It refuses when a listed file was edited.
 */
import { frozenMigrationsFile, hashesOfMigrations } from "./migration_hashes.ts";

const frozen: Record<string, string> = JSON.parse(await Deno.readTextFile(frozenMigrationsFile));
const now = await hashesOfMigrations();
const edited = Object.keys(frozen).filter((file) => now[file] !== frozen[file]);
if (edited.length > 0) {
  console.error(`These were released and must not change: ${edited.join(", ")}`);
  Deno.exit(1);
}
await Deno.writeTextFile(frozenMigrationsFile, JSON.stringify(now, null, 2) + "\n");
console.log(`${Object.keys(now).length} migrations are frozen.`);
