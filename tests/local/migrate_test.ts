import assert from "node:assert/strict";
import { join } from "node:path";
import { LocalError } from "../../local/errors.ts";
import { migrate } from "../../local/postgres/migrate.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";

/** A `supabase/` folder with these files, and an empty project to apply them to. */
async function project(files: Record<string, string>) {
  const temporary = await makeTemporaryFolder();
  const folder = temporary.path;
  await Deno.mkdir(join(folder, "migrations"));
  const database: TestDatabase = await createDatabase("blank");
  const sql = database.connect("postgres");
  const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return {
    sql,
    write,
    remove: (name: string) => Deno.remove(join(folder, name)),
    migrate: () => migrate(sql, { folder }),
    async [Symbol.asyncDispose]() {
      await database.drop();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

const CREATE = "migrations/20260101000000_create.sql";
const GROW = "migrations/20260102000000_grow.sql";
const two = {
  [CREATE]: "create table public.things (id int primary key);\ncomment on table public.things is 'a; b';",
  [GROW]: "alter table public.things add column name text;",
  "migrations/notes.txt": "not a migration",
  "seed.sql": "insert into public.things (id, name) values (1, 'one');",
};

function failsWith(code: LocalError["code"], message: RegExp) {
  return (error: unknown) => {
    assert(error instanceof LocalError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

Deno.test("migrate() applies the files in order, and then the seed, once", async () => {
  await using it = await project(two);
  assert.deepEqual(await it.migrate(), {
    applied: ["20260101000000_create.sql", "20260102000000_grow.sql"],
    seeded: true,
    seedChanged: false,
  });
  assert.deepEqual(await it.migrate(), { applied: [], seeded: false, seedChanged: false });
  assert.deepEqual([...await it.sql`select id, name from public.things`], [{ id: 1, name: "one" }]);
});

Deno.test("migrate() applies as the role it connects as, which owns everything", async () => {
  await using it = await project(two);
  await it.migrate();
  const [{ owner }] = await it.sql`select tableowner as owner from pg_tables where tablename = 'things'`;
  assert.equal(owner, "postgres");
});

Deno.test("migrate() writes the history tables of the Supabase CLI", async () => {
  await using it = await project(two);
  await it.migrate();
  assert.deepEqual(
    [...await it.sql`select version, name from supabase_migrations.schema_migrations order by version`],
    [{ version: "20260101000000", name: "create" }, { version: "20260102000000", name: "grow" }],
  );
  const [{ path, hash }] = await it.sql`select path, hash from supabase_migrations.seed_files`;
  assert.equal(path, "supabase/seed.sql");
  assert.match(hash, /^[0-9a-f]{64}$/);
});

Deno.test("migrate() accepts what the Supabase CLI has applied, statement by statement", async () => {
  await using it = await project(two);
  await it.migrate();
  const statements = two[CREATE].split(";\n");
  await it.sql`update supabase_migrations.schema_migrations set statements = ${statements}
    where version = '20260101000000'`;
  assert.deepEqual((await it.migrate()).applied, []);
});

Deno.test("migrate() rolls a failing file back, and names file and line", async () => {
  await using it = await project(two);
  await it.write(GROW, "create table public.more (id int);\n\nalter table public.nothing add column x int;");
  await assert.rejects(it.migrate(), failsWith("migration_failed", /^20260102000000_grow\.sql.*nothing/));
  const tables = await it.sql`select tablename from pg_tables where schemaname = 'public'`;
  assert.deepEqual([...tables], [{ tablename: "things" }]);
  await it.write(GROW, "select 1 +;");
  await assert.rejects(
    it.migrate(),
    failsWith("migration_failed", /^20260102000000_grow\.sql:1: syntax error/),
  );
});

Deno.test("migrate() refuses a migration edited after it was applied, naming it and --reset", async () => {
  await using it = await project(two);
  await it.migrate();
  await it.write(CREATE, "create table public.things (id bigint primary key);");
  await assert.rejects(
    it.migrate(),
    failsWith("migration_changed", /20260101000000_create\.sql was edited.*--reset/s),
  );
});

Deno.test("migrate() refuses when an applied file is gone or a new one comes before it", async () => {
  await using it = await project(two);
  await it.migrate();
  await it.remove(GROW);
  await assert.rejects(it.migrate(), failsWith("migration_changed", /20260102000000_grow\.sql .* is gone/));
  await it.write(GROW, two[GROW]);
  await it.write("migrations/20260101120000_between.sql", "select 1;");
  await assert.rejects(
    it.migrate(),
    failsWith("migration_changed", /20260101120000_between\.sql comes before/),
  );
});

Deno.test("migrate() does not run a changed seed again, and says so", async () => {
  await using it = await project(two);
  await it.migrate();
  await it.write("seed.sql", "insert into public.things (id) values (2);");
  assert.deepEqual(await it.migrate(), { applied: [], seeded: false, seedChanged: true });
  assert.equal((await it.sql`select from public.things`).length, 1);
});
