import assert from "node:assert/strict";
import { connectDatabase } from "../../billing/db/database.ts";
import { isDatabaseError } from "../../billing/db/sql.ts";
import { createDatabase } from "../support/database.ts";

Deno.test("connectDatabase() works as billing_service, whatever role the URL names", async () => {
  await using database = await createDatabase();
  for (const login of ["billing_service", "postgres"] as const) {
    await using db = connectDatabase(database.url(login), { max: 2 });
    const read = () => db`select from public.communities`;
    const isRefused = (error: unknown) => isDatabaseError(error) && error.code === "42501";
    assert.deepEqual(await db`select current_user::text as role`, [{ role: "billing_service" }]);
    await assert.rejects(read(), isRefused, login);
    await assert.rejects(
      db.begin((transaction) => transaction`select from public.communities`),
      isRefused,
      login,
    );
    const [{ context }] = await db`select billing.checkout_context('nowhere') as context`;
    assert.equal(context, null);
  }
});

Deno.test("connectDatabase() has the time limits of billing_service, whatever role the URL names", async () => {
  await using database = await createDatabase();
  const rows = await database.connect("postgres")`
    select split_part(setting, '=', 1) as name, split_part(setting, '=', 2) as value
    from pg_db_role_setting s cross join unnest(s.setconfig) as setting
    where s.setrole = 'billing_service'::regrole order by 1`;
  const limits = rows.map(({ name, value }) => [name, value]);
  assert.deepEqual(limits.map(([name]) => name), [
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "statement_timeout",
  ]);
  for (const login of ["billing_service", "postgres"] as const) {
    await using db = connectDatabase(database.url(login), { max: 1 });
    for (const [name, value] of limits) {
      const [{ same }] = await db`
        select current_setting(${name})::interval = ${value}::interval as same`;
      assert.equal(same, true, `${login}: ${name} is ${value}`);
    }
    // They also hold while a call reads as somebody else.
    const [{ limit }] = await db`
      with switched as (select set_config('role', 'authenticated', true) as role)
      select current_setting('statement_timeout') as limit from switched where role = 'authenticated'`;
    assert.equal(limit, "15s");
  }
});
