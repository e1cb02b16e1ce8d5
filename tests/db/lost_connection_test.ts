import assert from "node:assert/strict";
import { connectDatabase, type Database, orUnavailable } from "../../billing/db/database.ts";
import type { BillingError } from "../../billing/errors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

interface TestPool extends AsyncDisposable {
  db: Database;
  /** Ends every connection of role billing_service, as a restart of the database would. */
  cut(): Promise<unknown>;
  notes(): Promise<string[]>;
}

/** The plugin's pool, on a database with a table to write notes into. */
async function startPool(max: number): Promise<TestPool> {
  const database: TestDatabase = await createDatabase();
  const operator = database.connect("postgres");
  await operator`create table billing.notes (note text not null)`;
  await operator`grant insert, select on billing.notes to billing_service`;
  const db = connectDatabase(database.url("billing_service"), { max });
  return {
    db,
    cut: () =>
      operator`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and usename = 'billing_service'`,
    notes: async () => (await operator`select note from billing.notes order by note`).map(({ note }) => note),
    async [Symbol.asyncDispose]() {
      await db.close();
      await database.drop();
    },
  };
}

const isUnavailable = { code: "database_unavailable" };

Deno.test("begin() commits nothing when its connection is lost, and the next call succeeds", async () => {
  await using pool = await startPool(1);
  const { db } = pool;
  const isCut = Promise.withResolvers<void>();
  const isReconnected = Promise.withResolvers<void>();

  const lost = assert.rejects(
    orUnavailable(db.begin(async (transaction) => {
      await transaction`insert into billing.notes values ('before the cut')`;
      await pool.cut();
      isCut.resolve();
      await isReconnected.promise; // as when waiting for Stripe
      await transaction`insert into billing.notes values ('after the cut')`;
    })),
    isUnavailable,
  );
  await isCut.promise;
  await db`select 1`.catch(() => {});
  await db.begin(async (transaction) => {
    await transaction`insert into billing.notes values ('of the next')`;
    isReconnected.resolve();
    await lost;
    await transaction`insert into billing.notes values ('of the next, too')`;
  });
  assert.deepEqual(await pool.notes(), ["of the next", "of the next, too"]);
});

Deno.test("every call ends when connections are cut, and the pool works afterwards", async () => {
  await using pool = await startPool(3);
  const { db } = pool;
  const outcomes = { done: 0, unavailable: 0 };
  const call = (nth: number): Promise<unknown> =>
    nth % 2 === 0 ? db`select ${nth}::integer` : db.begin(async (transaction) => {
      await transaction`select ${nth}::integer`;
      if (nth % 3 === 0) throw new Error("the work itself fails");
      await transaction`select pg_sleep(0.001)`;
    });
  for (let round = 0; round < 60; round++) {
    const calls = Array.from({ length: 9 }, async (_, nth) => {
      try {
        await orUnavailable(call(nth));
        outcomes.done++;
      } catch (error) {
        if (error instanceof Error && error.message === "the work itself fails") return;
        assert.equal((error as BillingError).code, isUnavailable.code);
        outcomes.unavailable++;
      }
    });
    await pool.cut();
    await Promise.all(calls);
  }
  assert.ok(outcomes.unavailable > 0, "some calls were cut");
  const rows = await Promise.all([1, 2, 3].map((nth) => db`select ${nth}::integer as nth`));
  assert.deepEqual(rows.map(([{ nth }]) => nth), [1, 2, 3]);
});
