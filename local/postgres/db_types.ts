/**
 * `deno task db:types`: writes the TypeScript types of the database, from a fresh and migrated one, with the Supabase
 * CLI. With `--check` it writes nothing, and ends with exit code 1 when the file is stale.
 */
import { runMain } from "../processes/run_main.ts";
import { databaseUrl, prepareDatabase } from "./cluster.ts";
import { withEphemeralCluster } from "./ephemeral_cluster.ts";
import { formatted, outputOf, writeOrCheck } from "./generated_file.ts";

const SUPABASE_CLI = "supabase@3.1.0";
const HEADER =
  `// Written by \`deno task db:types\` from the migrations. Do not edit: the next run overwrites it.\n`;

/** The types of schema `public`, as the file should hold them. */
async function generateTypes(): Promise<string> {
  const types = await withEphemeralCluster(async (cluster) => {
    await prepareDatabase(cluster);
    const url = `${databaseUrl(cluster, "postgres")}?sslmode=disable`;
    return await outputOf("npx", [
      "-y",
      SUPABASE_CLI,
      "gen",
      "types",
      `--remote=${url}`,
      "--schema=public",
      "--yes",
      "--agent=no",
    ]);
  });
  return await formatted(HEADER + types);
}

if (import.meta.main) {
  await runMain(() =>
    writeOrCheck(
      { path: "billing/db/database_types.ts", task: "db:types", generate: generateTypes },
      Deno.args,
    )
  );
}
