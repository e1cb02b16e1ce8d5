/**
 * `deno task db:docs`: writes docs/schema.md from the catalogue of a fresh and migrated database. With `--check` it
 * writes nothing, and ends with exit code 1 when the file is stale.
 */
import type { Pool } from "../../billing/db/sql.ts";
import { runMain } from "../processes/run_main.ts";
import { asRole, prepareDatabase } from "./cluster.ts";
import { withEphemeralCluster } from "./ephemeral_cluster.ts";
import { writeOrCheck } from "./generated_file.ts";

interface Relation {
  schema: string;
  name: string;
  isView: boolean;
  comment: string | null;
  /** "role: privileges", without those of the owner. */
  grants: string[];
  policies: { name: string; command: string; roles: string; using: string | null; check: string | null }[];
  columns: Column[];
}

interface Column {
  name: string;
  type: string;
  isRequired: boolean;
  isKey: boolean;
  default: string | null;
  comment: string | null;
}

/** A foreign key. */
interface Reference {
  /** With their schemas. */
  from: string;
  to: string;
  columns: string;
  isUnique: boolean;
}

interface RoutineRow {
  schema: string;
  name: string;
  arguments: string;
  result: string;
  isTrigger: boolean;
  comment: string | null;
  callers: string[];
}

const relations = (sql: Pool) =>
  sql<Relation[]>`
    select n.nspname as schema, c.relname as name, c.relkind = 'v' as "isView",
      obj_description(c.oid, 'pg_class') as comment,
      array(
        select format('%s: %s', g.grantee, string_agg(g.privilege, ', ' order by g.privilege))
        from (
          select case a.grantee when 0 then 'everybody' else a.grantee::regrole::text end as grantee,
            lower(a.privilege_type) as privilege
          from aclexplode(c.relacl) a where a.grantee <> c.relowner
          union all
          select a.grantee::regrole::text, format('%s (%s)', lower(a.privilege_type),
            string_agg(t.attname, ', ' order by t.attnum))
          from pg_attribute t cross join lateral aclexplode(t.attacl) a
          where t.attrelid = c.oid and a.grantee <> c.relowner and a.grantee <> 0
          group by a.grantee, a.privilege_type
        ) g
        group by g.grantee order by g.grantee
      ) as grants,
      coalesce((
        select json_agg(json_build_object('name', p.policyname, 'command', lower(p.cmd),
          'roles', array_to_string(p.roles, ', '), 'using', p.qual, 'check', p.with_check) order by p.policyname)
        from pg_policies p where p.schemaname = n.nspname and p.tablename = c.relname
      ), '[]') as policies,
      (
        select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'isRequired', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
          'isKey', exists (select from pg_constraint k
            where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any (k.conkey)),
          'comment', col_description(c.oid, a.attnum)) order by a.attnum)
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'billing') and c.relkind in ('r', 'p', 'v') and not c.relispartition
    order by n.nspname desc, c.relkind = 'v', c.relname`;

const references = (sql: Pool) =>
  sql<Reference[]>`
    select k.conrelid::regclass::text as "from", k.confrelid::regclass::text as "to",
      (select string_agg(a.attname, ', ' order by u.n) from unnest(k.conkey) with ordinality u (attnum, n)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum) as columns,
      exists (select from pg_constraint u where u.conrelid = k.conrelid and u.contype in ('p', 'u')
        and u.conkey <@ k.conkey and u.conkey @> k.conkey) as "isUnique"
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and k.connamespace::regnamespace::text in ('public', 'billing') and not c.relispartition
      and k.conparentid = 0
    order by 1, 3`;

const routines = (sql: Pool) =>
  sql<RoutineRow[]>`
    select n.nspname as schema, p.proname as name, pg_get_function_identity_arguments(p.oid) as arguments,
      pg_get_function_result(p.oid) as result, p.prorettype = 'trigger'::regtype as "isTrigger",
      obj_description(p.oid, 'pg_proc') as comment,
      array(select case a.grantee when 0 then 'everybody' else a.grantee::regrole::text end
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.grantee <> p.proowner order by 1) as callers
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'billing')
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by n.nspname desc, p.proname, 3`;

/** The text of docs/schema.md as it should be. */
async function generateDocs(): Promise<string> {
  return await withEphemeralCluster(async (cluster) => {
    await prepareDatabase(cluster);
    return await asRole(cluster, "postgres", "postgres", async (sql) => {
      // Names carry their schema only where they are found in no other way.
      await sql.script("set search_path to pg_catalog");
      return describe(await relations(sql), await references(sql), await routines(sql));
    });
  });
}

function describe(all: Relation[], references: Reference[], routines: RoutineRow[]): string {
  const tables = all.filter(({ isView }) => !isView);
  return [
    "# The schema",
    "Written by `deno task db:docs` from the migrations. Do not edit: the next run overwrites it. " +
    "[architecture.md](architecture.md) has the words and the rules.",
    "## Tables and their references",
    diagram(tables, references),
    "## Tables",
    ...tables.map(describeRelation),
    "## Views",
    ...all.filter(({ isView }) => isView).map(describeRelation),
    "## Functions",
    "Each with what it returns, and in parentheses the roles that may call it. One without a role is called by other " +
    "functions, triggers and schedules only.",
    routines.map(describeRoutine).join("\n"),
  ].join("\n\n") + "\n";
}

const qualified = ({ schema, name }: Pick<Relation, "schema" | "name">) => `${schema}.${name}`;

/** Mermaid's entity relationship diagram, https://mermaid.js.org/syntax/entityRelationshipDiagram.html */
function diagram(tables: Relation[], references: Reference[]): string {
  const entity = (name: string) => name.replace(/^public\./, "").replace(".", "_");
  const keys = tables.map((each) => {
    const name = qualified(each);
    const foreign = references.filter(({ from }) => from === name).flatMap(({ columns }) =>
      columns.split(", ")
    );
    const columns = each.columns.filter((column) => column.isKey || foreign.includes(column.name));
    const lines = columns.map((column) => {
      const marks = [column.isKey ? "PK" : "", foreign.includes(column.name) ? "FK" : ""].filter(Boolean);
      return `    ${column.type.replaceAll(/\W+/g, "_")} ${column.name} ${marks.join(", ")}`;
    });
    return `  ${entity(name)} {\n${lines.join("\n")}\n  }`;
  });
  const lines = references.map(({ from, to, columns, isUnique }) =>
    `  ${entity(to)} ||--${isUnique ? "o|" : "o{"} ${entity(from)} : "${columns}"`
  );
  return ["```mermaid", "erDiagram", ...keys, ...lines, "```"].join("\n");
}

function describeRelation(relation: Relation): string {
  const columns = relation.columns.map((column) => [
    `\`${column.name}\`${column.isKey ? " (key)" : ""}`,
    `${column.type}${column.isRequired || relation.isView ? "" : ", or null"}`,
    column.default ? `\`${column.default}\`` : "",
    column.comment ?? "",
  ]);
  const withDefaults = columns.some(([_name, _type, value]) => value !== "");
  const cells = withDefaults
    ? columns
    : columns.map(([name, type, _value, comment]) => [name, type, comment]);
  return [
    `### ${qualified(relation)}`,
    relation.comment ?? "",
    table(withDefaults ? ["column", "type", "default", ""] : ["column", "type", ""], cells),
    ...relation.policies.map(({ name, command, roles, using, check }) => {
      const rules = [
        using && `rows with \`${oneLine(using)}\``,
        check && `new rows with \`${oneLine(check)}\``,
      ];
      return `Policy "${name}" (${command}; ${roles}): ${rules.filter(Boolean).join("; ")}`;
    }),
    relation.grants.length > 0 ? `Grants: ${relation.grants.join("; ")}.` : "",
  ].filter(Boolean).join("\n\n");
}

function describeRoutine({ schema, name, arguments: args, result, isTrigger, comment, callers }: RoutineRow) {
  const who = isTrigger ? " (trigger)" : callers.length > 0 ? ` (${callers.join(", ")})` : "";
  return `- \`${schema}.${name}(${args})\` → \`${result}\`${who}${comment ? `: ${oneLine(comment)}` : ""}`;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ");

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => oneLine(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  await runMain(() =>
    writeOrCheck({ path: "docs/schema.md", task: "db:docs", generate: generateDocs }, Deno.args)
  );
}
