/** The files of `supabase/migrations/`, and how they are compared with what the Supabase CLI recorded. */

/** One migration file. */
export interface MigrationFile {
  file: string;
  /** Fourteen digits. */
  version: string;
  name: string;
  text: string;
}

/** The files of a folder, in order. Files that are named otherwise are left out. */
export async function readMigrationFiles(folder: string | URL): Promise<MigrationFile[]> {
  const path = (file: string) => typeof folder === "string" ? `${folder}/${file}` : new URL(file, folder);
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  const found = files.flatMap((file) => {
    const [, version, name] = file.match(/^(\d{14})_(.+)\.sql$/) ?? [];
    return version && name ? [{ file, version, name }] : [];
  });
  return await Promise.all(
    found.map(async (migration) => ({ ...migration, text: await Deno.readTextFile(path(migration.file)) })),
  );
}

/** What a database recorded of one migration. */
export interface AppliedMigration {
  version: string;
  name: string | null;
  statements: string[] | null;
}

/** Whether a file still has the text that was applied. True where the text was not recorded. */
export function isUnedited({ text }: MigrationFile, { statements }: AppliedMigration): boolean {
  return statements === null || essence(statements.join("")) === essence(text);
}

/** The CLI stores a file as statements, without the semicolons and the white space between them. */
const essence = (text: string) => text.replaceAll(/[\s;]/g, "");
