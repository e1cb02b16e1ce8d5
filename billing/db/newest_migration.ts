/** The version of the newest migration that this code needs. A test compares it with `supabase/migrations/`. */
export const newestMigration = "20261125120400";
