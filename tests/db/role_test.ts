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
    const [{ payloads }] = await db`select billing.open_events(null) as payloads`;
    assert.deepEqual(payloads, []);
  }
});
