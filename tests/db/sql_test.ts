import assert from "node:assert/strict";
import { asJson, ConnectionLostError, isDatabaseError, openPool } from "../../billing/db/sql.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await createDatabase("blank");
});
Deno.test.afterAll(() => database?.drop());

Deno.test("parameters of a query arrive unchanged", async () => {
  await using sql = openPool(database.url("postgres"));
  const text = `'; drop table plans; -- \\ $1 "é" \u{1F4B8}`;
  const moment = new Date("2026-11-22T15:24:37.123Z");
  const [row] = await sql`
    select ${text}::text as text, ${7}::integer as number, ${
    2n ** 62n
  }::bigint as large, ${true}::boolean as flag,
      ${null}::text as nothing, ${moment}::timestamptz as moment, ${["a,b", 'c"d']}::text[] as list,
      ${asJson({ list: [1, "two", null], text })}::jsonb as json`;
  assert.deepEqual({ ...row }, {
    text,
    number: 7,
    large: "4611686018427387904",
    flag: true,
    nothing: null,
    moment,
    list: ["a,b", 'c"d'],
    json: { list: [1, "two", null], text },
  });
});

Deno.test("script() returns the rows of each statement", async () => {
  await using sql = openPool(database.url("postgres"));
  assert.deepEqual(await sql.script("select 1 as a; select 2 as b union all select 3"), [[{ a: 1 }], [
    { b: 2 },
    { b: 3 },
  ]]);
  assert.deepEqual(await sql.script("select 1 as a"), [[{ a: 1 }]]);
});

Deno.test("begin() commits when its work resolves and rolls back when it rejects", async () => {
  await using sql = openPool(database.url("postgres"), { max: 1 });
  await sql.script("create table notes (note text)");
  const kept = await sql.begin(async (transaction) => {
    await transaction`insert into notes values ('kept')`;
    return "result";
  });
  assert.equal(kept, "result");
  await assert.rejects(
    sql.begin(async (transaction) => {
      await transaction`insert into notes values ('thrown away')`;
      throw new RangeError("enough");
    }),
    RangeError,
  );
  assert.deepEqual(await sql`select note from notes`, [{ note: "kept" }]);
});

Deno.test("begin() rejects when a statement failed and the work resolves all the same", async () => {
  await using sql = openPool(database.url("postgres"), { max: 1 });
  await assert.rejects(
    sql.begin(async (transaction) => {
      await transaction`select 1 / ${0}::integer`.catch(() => {});
      return "done";
    }),
    /Nothing was committed/,
  );
});

Deno.test("a transaction refuses statements after its end", async () => {
  await using sql = openPool(database.url("postgres"), { max: 1 });
  const transaction = await sql.begin((transaction) => Promise.resolve({ late: transaction }));
  await assert.rejects(transaction.late`select 1`, ConnectionLostError);
});

Deno.test("a refused statement keeps its connection", async () => {
  await using sql = openPool(database.url("postgres"), { max: 1 });
  const [before] = await sql`select pg_backend_pid() as pid`;
  await assert.rejects(
    sql`select 1 / ${0}::integer`,
    (error) => isDatabaseError(error) && error.code === "22012",
  );
  assert.deepEqual(await sql`select pg_backend_pid() as pid`, [before]);
});

Deno.test("a connection that does not answer within answerWithin is replaced", async () => {
  await using sql = openPool(database.url("postgres"), { max: 1, answerWithin: 100 });
  const [before] = await sql`select pg_backend_pid() as pid`;
  await assert.rejects(sql`select pg_sleep(600)`, ConnectionLostError);
  const [after] = await sql`select pg_backend_pid() as pid`;
  assert.notDeepEqual(after, before);

  const lost = sql.begin((transaction) => transaction`select pg_sleep(600)`);
  await assert.rejects(lost, ConnectionLostError);
  assert.notDeepEqual(await sql`select pg_backend_pid() as pid`, [after]);
});

Deno.test("statements are prepared once for each connection, or never with prepare: false", async () => {
  for (const prepare of [true, false]) {
    await using sql = openPool(database.url("postgres"), { max: 1, prepare });
    const ask = (text: string) => sql`select ${text}::text as text`;
    await ask("a");
    assert.deepEqual(await ask("b"), [{ text: "b" }]);
    const [[{ statements }]] = await sql.script(
      "select count(*)::integer as statements from pg_prepared_statements",
    );
    assert.equal(statements, prepare ? 1 : 0);
  }
});

Deno.test("close() lets calls finish, then refuses calls, and may be called again", async () => {
  const sql = openPool(database.url("postgres"), { max: 1 });
  const underWay = sql`select pg_sleep(0.05), 'done' as answer`;
  await sql`select 1`;
  await Promise.all([sql.close(), sql.close()]);
  assert.equal((await underWay)[0].answer, "done");
  await assert.rejects(sql`select 1`, ConnectionLostError);
});
