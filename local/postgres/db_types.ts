/**
 * `deno task db:types`: writes the TypeScript types of the database, from a fresh and migrated one, with the Supabase
 * CLI. With `--check` it writes nothing, and ends with exit code 1 when the file is not what it would write.
 */
import { parseArgs } from "node:util";
import { databaseUrl, prepareDatabase } from "./cluster.ts";
import { withEphemeralCluster } from "./ephemeral_cluster.ts";
import { projectPath, projectRoot } from "../paths.ts";
import { runMain } from "../processes/run_main.ts";

const SUPABASE_CLI = "supabase@3.1.0";
const TYPES_FILE = "billing/db/database_types.ts";
const HEADER =
  `// Written by \`deno task db:types\` from the migrations. Do not edit: the next run overwrites it.\n`;

/** The text of the types file as it should be. */
export async function generateTypes(): Promise<string> {
  const types = await withEphemeralCluster(async (cluster) => {
    await prepareDatabase(cluster);
    const url = `${databaseUrl(cluster, "postgres")}?sslmode=disable`;
    return await output("npx", [
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
  return await output(Deno.execPath(), ["fmt", "--ext=ts", "-"], HEADER + types);
}

async function output(program: string, args: string[], input = ""): Promise<string> {
  const process = new Deno.Command(program, {
    args,
    cwd: projectRoot,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} ${args[0]} fails: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { check: { type: "boolean", default: false } } });
  const file = projectPath(TYPES_FILE);
  const types = await generateTypes();
  if (!values.check) {
    await Deno.writeTextFile(file, types);
    console.log(`${TYPES_FILE} is written.`);
    return 0;
  }
  const fresh = await Deno.readTextFile(file).catch(() => "") === types;
  if (!fresh) console.error(`${TYPES_FILE} is stale: run deno task db:types.`);
  return fresh ? 0 : 1;
}

if (import.meta.main) await runMain(() => main(Deno.args));
