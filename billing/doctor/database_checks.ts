/** The database: connections, roles, migrations, the plans in it. */
import { isDatabaseError, type Pool } from "../db/sql.ts";
import { type AppliedMigration, isUnedited, readMigrationFiles } from "../db/migration_files.ts";
import { checkQuotaConfiguration, QuotaConfigurationError } from "../quota/quota_configuration.ts";
import { type Check, doubtful, type Finding, foundOr, type Outcome, right, skipped, wrong } from "./check.ts";

const group = "database";
const docs = "docs/deploy.md#the-database";
const PUSH = "Run supabase db push.";

/** Connects, or says why not in the operator's words. `name` is the variable with the address. */
async function connect(pool: Pool, url: URL, name: string): Promise<Finding | null> {
  try {
    await pool`select 1`;
    return null;
  } catch (error) {
    const role = decodeURIComponent(url.username);
    const code = isDatabaseError(error) ? error.code : undefined;
    if (code === "28P01" || code === "28000" || /password|SASL|SCRAM/i.test(String(error))) {
      return wrong(
        `The database refuses the role and password of ${name} (role ${role}).`,
        role.startsWith("billing_service")
          ? "In the SQL editor: alter role billing_service password '…', and put the same into the variable."
          : "Take the password from the project's settings, Database; percent-encode special characters.",
      );
    }
    if (code === "3D000") {
      return wrong(
        `There is no database ${url.pathname.slice(1)} at ${url.host} (${name}).`,
        "Correct the end of the address.",
      );
    }
    if (code === "53300") {
      return wrong(
        `The database has no free connection for ${name}.`,
        "Use the pooler's address (port 6543), or fewer servers.",
      );
    }
    if (/certificate|self.signed|TLS|SSL/i.test(String(error))) {
      return wrong(
        `The encryption that ${name} asks for cannot be had from ${url.host}.`,
        "Use sslmode=verify-full with the project's certificate as sslrootcert, or sslmode=no-verify.",
      );
    }
    return wrong(
      `No database can be reached at ${url.host} (${name}).`,
      "Look at host and port, and whether the project is paused.",
    );
  }
}

export const databaseChecks: Check[] = [
  {
    group,
    name: "the operator's connection",
    docs,
    establishes: "operator database",
    async run({ operator, values }) {
      if (!operator) return skipped("Not checked: it needs OPERATOR_DB_URL.");
      const finding = await connect(operator, new URL(values.OPERATOR_DB_URL!), "OPERATOR_DB_URL");
      if (finding) return { found: [finding] };
      const [{ role, version }] = await operator<[{ role: string; version: number }]>`
        select current_user as role, current_setting('server_version_num')::integer / 10000 as version`;
      if (role === "billing_service") {
        return {
          found: [wrong(
            "OPERATOR_DB_URL logs in as billing_service, which may not do an operator's tasks.",
            "Use the role postgres in OPERATOR_DB_URL.",
          )],
        };
      }
      if (version < 15) {
        return {
          found: [
            wrong(`PostgreSQL ${version} is too old: Dues needs 15 or later.`, "Upgrade the database."),
          ],
        };
      }
      return right(`OPERATOR_DB_URL reaches PostgreSQL ${version} as role ${role}.`);
    },
  },
  {
    group,
    name: "the server's connection",
    docs,
    establishes: "service database",
    async run({ service, values }) {
      if (!service) return skipped("Not checked: it needs SUPABASE_DB_URL.");
      const name = values.BILLING_DB_URL ? "BILLING_DB_URL" : "SUPABASE_DB_URL";
      const url = new URL(values[name]!);
      const finding = await connect(service, url, name);
      if (finding) return { found: [finding] };
      const [{ role, login, superuser }] = await service<
        [{ role: string; login: string; superuser: boolean }]
      >`
        select current_user as role, session_user as login,
          (select rolsuper from pg_catalog.pg_roles where rolname = session_user) as superuser`;
      if (login !== "billing_service") {
        return {
          found: [doubtful(
            `${name} logs in as ${login}${
              superuser ? ", a superuser" : ""
            }: whoever gets it can do all that role can.`,
            "Use the role billing_service with a password of its own in the server's environment.",
          )],
        };
      }
      return right(`${name} reaches the database as role ${role}.`);
    },
  },
  {
    group,
    name: "one database",
    docs,
    needs: ["operator database", "service database"],
    async run({ operator, service }) {
      const key = Math.floor(Math.random() * 2 ** 31);
      const free = await operator!.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(${key})`;
        const [{ free }] = await service!<
          [{ free: boolean }]
        >`select pg_try_advisory_xact_lock(${key}) as free`;
        return free;
      });
      return foundOr(
        free
          ? [wrong(
            "OPERATOR_DB_URL and SUPABASE_DB_URL lead to two different databases.",
            "Take both from the same project's settings.",
          )]
          : [],
        "The operator's tasks and the server use the same database.",
      );
    },
  },
  {
    group,
    name: "migrations",
    docs: "docs/deploy.md#upgrade-and-rollback",
    needs: ["operator database"],
    establishes: "schema",
    run: ({ operator }) => migrations(operator!),
  },
  {
    group,
    name: "the role billing_service",
    docs,
    needs: ["schema"],
    async run({ operator }) {
      const [role] = await operator!<{ wide: boolean; login: boolean; config: string[] | null }[]>`
        select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolinherit as wide, rolcanlogin as login,
          rolconfig as config
        from pg_catalog.pg_roles where rolname = 'billing_service'`;
      if (!role) return { found: [wrong("There is no role billing_service.", PUSH)] };
      const found: Finding[] = [];
      if (role.wide) {
        found.push(wrong(
          "The role billing_service may do more than it needs: as superuser, around row-level security, or with roles and databases.",
          "alter role billing_service nosuperuser nobypassrls nocreaterole nocreatedb noinherit;",
        ));
      }
      if (!role.login) {
        found.push(wrong("The role billing_service may not log in.", "alter role billing_service login;"));
      }
      if (!role.config?.some((setting) => setting.startsWith("statement_timeout="))) {
        found.push(wrong(
          "The role billing_service has no statement_timeout: one stuck call can hold everything.",
          "alter role billing_service set statement_timeout = '15s';",
        ));
      }
      return foundOr(found, "The role billing_service may do what it needs and no more.");
    },
  },
  {
    group,
    name: "the default plan",
    docs: "docs/deploy.md#plans-and-prices",
    needs: ["schema"],
    async run({ operator }) {
      const rows = await operator!<
        { code: string }[]
      >`select code from public.plans where is_default and is_active`;
      return foundOr(
        rows.length === 1
          ? []
          : [wrong("There is no active default plan, so nobody can sign in.", "Run deno task stripe:setup.")],
        `A community without a subscription is on the plan ${rows[0]?.code}.`,
      );
    },
  },
  {
    group,
    name: "limits",
    docs: "docs/limits.md",
    needs: ["schema", "service database"],
    async run({ service }) {
      try {
        await checkQuotaConfiguration(service!);
        return right("Every limited feature has a limit on every plan.");
      } catch (error) {
        if (!(error instanceof QuotaConfigurationError)) throw error;
        return {
          found: error.faults.map((fault) =>
            wrong(`A limit is missing: ${fault}`, "Add it to plans.toml and run deno task stripe:setup.")
          ),
        };
      }
    },
  },
  {
    group,
    name: "months of usage",
    docs: "docs/operate.md#usage",
    needs: ["schema"],
    async run({ operator }) {
      const rows = await operator!<{ month: string }[]>`
        select to_char(m, 'YYYY-MM') as month
        from generate_series(date_trunc('month', now() at time zone 'UTC'),
          date_trunc('month', now() at time zone 'UTC') + interval '1 month', interval '1 month') m
        where to_regclass('billing.' || billing.usage_partition(m::date)) is null`;
      return foundOr(
        rows.map(({ month }) =>
          doubtful(
            `There is no partition for usage of ${month}.`,
            "Run deno task usage:maintain, every day by a schedule.",
          )
        ),
        "The partitions for usage of this month and the next are there.",
      );
    },
  },
];

async function migrations(operator: Pool): Promise<Outcome> {
  const files = await readMigrationFiles(new URL("../../supabase/migrations/", import.meta.url));
  const [{ known }] = await operator<[{ known: boolean }]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as known`;
  const applied = known
    ? await operator<AppliedMigration[]>`
      select version, name, statements from supabase_migrations.schema_migrations order by version`
    : [];
  const found: Finding[] = [];
  const missing = files.filter(({ version }) => !applied.some((each) => each.version === version));
  if (missing.length === files.length) {
    found.push(
      wrong(
        "No migration of Dues was applied to this database.",
        "Run supabase link and supabase db push --include-seed.",
      ),
    );
  } else if (missing.length > 0) {
    found.push(wrong(
      `${missing.length} of ${files.length} migrations are not applied; the first is ${missing[0].file}.`,
      PUSH,
    ));
  }
  for (const file of files) {
    const recorded = applied.find(({ version }) => version === file.version);
    if (recorded && !isUnedited(file, recorded)) {
      found.push(wrong(
        `The migration ${file.file} was edited after it was applied: this database differs from what the code expects.`,
        "Restore the file from the release that is deployed; put changes into a new migration.",
      ));
    }
  }
  const newest = files.at(-1)?.version ?? "";
  const ahead = applied.filter(({ version, name }) =>
    version > newest || files.every((file) => file.version !== version) && (name ?? "").length > 0
  );
  if (ahead.length > 0) {
    found.push(doubtful(
      `The database has ${ahead.length} migrations that this code does not know, such as ${
        ahead[0].version
      }_${ahead[0].name}.`,
      "Use the code of the release that is deployed, or leave them if they are your own.",
    ));
  }
  return foundOr(found, `All ${files.length} migrations are applied and unedited.`);
}
