/**
 * SQL as tagged templates, on node-postgres: `` await db`select * from plans where code = ${code}` `` resolves to the rows.
 * Values are sent as parameters, never within the text.
 */
import pg from "pg";

export type Row = pg.QueryResultRow;

/** A parameter of a query. JSON is passed as text: see asJson(). */
export type Value = string | number | bigint | boolean | Date | null | readonly (string | number)[];

/** Runs queries: a pool, or one transaction. */
export interface Sql {
  /** Runs one statement and resolves to its rows. */
  <Rows extends readonly object[] = Row[]>(text: TemplateStringsArray, ...values: Value[]): Promise<Rows>;
  /** Runs a text of several statements and resolves to the rows of each. */
  script(text: string): Promise<Row[][]>;
}

/** A pool of connections. Each is opened when it is needed and replaced when it is lost. */
export interface Pool extends Sql, AsyncDisposable {
  /**
   * Runs work in a transaction: committed when the work resolves, rolled back when it rejects. When the connection is
   * lost, this rejects at once and refuses further statements of the work.
   */
  begin<T>(work: (transaction: Sql) => Promise<T>): Promise<T>;
  /** Waits for running calls, five seconds at most, and closes the connections. May be called again. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** The most connections. Further calls wait for a free one. */
  max?: number;
  /** Whether to prepare statements, once for each connection. Default: true. */
  prepare?: boolean;
  /** Settings that each connection starts with, such as `role`: the role to switch to after logging in. */
  settings?: Record<string, string>;
  /** A connection counts as lost after so many milliseconds without an answer. Default: never. */
  answerWithin?: number;
}

/** A connection could not be opened, or was lost. The statement may have been carried out or not. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
  readonly code = "connection_lost";
}

const CONNECT_MS = 10_000;
const IDLE_MS = 60_000;
const CLOSE_MS = 5_000;

/** A value as JSON, for a parameter of type json or jsonb. */
export const asJson = (value: unknown): string => JSON.stringify(value);

/** Whether the database refused a statement, rather than the connection failed. `code` is a SQLSTATE. */
export const isDatabaseError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError;

/** Makes a pool, without connecting yet. */
export function openPool(url: string, options: PoolOptions = {}): Pool {
  const { max = 5, prepare = true, settings = {}, answerWithin } = options;
  const startUp = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(" ");
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: "dues",
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    ...(startUp === "" ? {} : { options: startUp }),
    ...(answerWithin === undefined ? {} : { query_timeout: answerWithin }),
  });
  const connected = new Set<pg.PoolClient>();
  pool.on("connect", (client) => {
    connected.add(client);
    // A query that waits for an answer rejects; otherwise the next query finds the loss.
    client.on("error", () => {});
  });
  pool.on("remove", (client) => connected.delete(client));
  pool.on("error", () => {});

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch(connectionLost);
    let isUsable = true;
    try {
      return await work(client);
    } catch (error) {
      isUsable = !(error instanceof ConnectionLostError) && !isFatal(error);
      throw error;
    } finally {
      client.release(!isUsable);
    }
  }

  const closeAll = async () => {
    const closed = pool.end();
    const cutShort = setTimeout(() => connected.forEach((client) => void client.end()), CLOSE_MS);
    await closed;
    clearTimeout(cutShort);
  };
  let closed: Promise<void> | undefined;
  const close = () => closed ??= closeAll();
  const sql = sqlBy((query) => withClient((client) => ask(client, query)), prepare);
  return Object.assign(sql, {
    begin: <T>(work: (transaction: Sql) => Promise<T>) =>
      withClient((client) => runTransaction(client, prepare, work)),
    close,
    [Symbol.asyncDispose]: close,
  });
}

async function runTransaction<T>(
  client: pg.PoolClient,
  prepare: boolean,
  work: (transaction: Sql) => Promise<T>,
): Promise<T> {
  const lost = Promise.withResolvers<never>();
  const onEnd = () => lost.reject(new ConnectionLostError("The connection was lost in a transaction."));
  let isOver = false;
  const transaction = sqlBy((query) => {
    // Another call may use its connection by now.
    if (isOver) throw new ConnectionLostError("The transaction is over.");
    return ask(client, query);
  }, prepare);
  try {
    await ask(client, "begin");
    client.once("end", onEnd);
    // Work that cannot be committed any more is not waited for.
    const result = await Promise.race([work(transaction), lost.promise]);
    const { command } = await ask(client, "commit");
    // The server answers so when a statement failed and the work resolved all the same.
    if (command === "ROLLBACK") {
      throw new Error("Nothing was committed: a statement of the transaction had failed.");
    }
    return result;
  } catch (error) {
    // After a lost connection the server rolls back by itself.
    if (error instanceof ConnectionLostError) void client.end();
    else await ask(client, "rollback").catch(() => void client.end());
    throw error;
  } finally {
    isOver = true;
    client.off("end", onEnd);
  }
}

type Query = string | { text: string; values: unknown[]; name?: string };

function sqlBy(ask: (query: Query) => Promise<pg.QueryResult>, prepare: boolean): Sql {
  const one = async (strings: TemplateStringsArray, ...values: Value[]) => {
    const { text, name } = statementOf(strings);
    return (await ask({ text, values, ...(prepare ? { name } : {}) })).rows;
  };
  const script = async (text: string) => {
    const answers = await ask(text) as pg.QueryResult | pg.QueryResult[];
    return [answers].flat().map(({ rows }) => rows);
  };
  return Object.assign(one, { script }) as Sql;
}

async function ask(client: pg.PoolClient, query: Query): Promise<pg.QueryResult> {
  return await client.query(query as string).catch(connectionLost);
}

function connectionLost(cause: unknown): never {
  if (isDatabaseError(cause)) throw cause;
  const how = cause instanceof Error ? cause.message : String(cause);
  throw new ConnectionLostError(`The connection to the database failed: ${how}`, { cause });
}

/** Whether the server closes the connection after this error. */
const isFatal = (error: unknown) =>
  isDatabaseError(error) && (error.severity === "FATAL" || error.severity === "PANIC");

interface Statement {
  text: string;
  name: string;
}

/** Each evaluation of a template has the same strings object, so it identifies the statement. */
const statements = new WeakMap<TemplateStringsArray, Statement>();
let count = 0;

function statementOf(strings: TemplateStringsArray): Statement {
  const known = statements.get(strings);
  if (known) return known;
  const text = strings.reduce((text, part, index) => `${text}$${index}${part}`);
  const statement = { text, name: `dues_${++count}` };
  statements.set(strings, statement);
  return statement;
}
