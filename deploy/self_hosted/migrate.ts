/**
 * Prepares a PostgreSQL of one's own: roles, migrations, seed, and the password of billing_service. `deno task db:migrate`,
 * with OPERATOR_DB_URL (a superuser) and SUPABASE_DB_URL (role billing_service) in the environment. May be run again: it
 * applies what is new. On hosted Supabase `supabase db push` does this.
 */
import { inspectEnvironment, processEnvironment } from "../../billing/config.ts";
import { openPool } from "../../billing/db/sql.ts";
import { LocalError } from "../../local/errors.ts";
import { migrate } from "../../local/postgres/migrate.ts";

const { values } = inspectEnvironment(processEnvironment());
const { OPERATOR_DB_URL: operatorUrl, SUPABASE_DB_URL: serviceUrl } = values;
if (!operatorUrl || !serviceUrl) {
  console.error("OPERATOR_DB_URL and SUPABASE_DB_URL have to be set: .env.example says how.");
  Deno.exit(1);
}
try {
  await using sql = openPool(operatorUrl, { max: 1 });
  await sql.script(await Deno.readTextFile(new URL("prepare.sql", import.meta.url)));
  const { applied, seeded, seedChanged } = await migrate(sql);
  for (const file of applied) console.log(`applied ${file}`);
  if (applied.length === 0) console.log("Every migration was applied before.");
  if (seeded) console.log("The seed was run.");
  if (seedChanged) {
    console.log("supabase/seed.sql has changed since it was run; deno task stripe:setup writes plans.toml.");
  }

  const password = decodeURIComponent(new URL(serviceUrl).password);
  // A role's password cannot be a parameter.
  const [{ statement }] = await sql<[{ statement: string }]>`
    select format('alter role billing_service password %L', ${password}::text) as statement`;
  await sql.script(statement);
  console.log("billing_service has the password of SUPABASE_DB_URL.");
} catch (error) {
  if (!(error instanceof LocalError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
