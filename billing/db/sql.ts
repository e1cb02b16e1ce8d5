/**
 * SQL as tagged templates, on node-postgres: `` await db`select * from plans where code = ${code}` `` resolves to the rows.
 * What is put in travels beside the text, never within it.
 */
import pg from "pg";

export type Row = pg.QueryResultRow;

/** What a query may be given. JSON goes as text: see asJson(). */
export type Value = string | number | bigint | boolean | Date | null | readonly (string | number)[];

/** Something to put queries to: a pool, or one transaction. */
export interface Sql {
  /** Carries out one statement, and resolves to its rows. */
  <Rows extends readonly object[] = Row[]>(text: TemplateStringsArray, ...values: Value[]): Promise<Rows>;
  /** Carries out a text of several statements, and resolves to the rows of each. */
  script(text: string): Promise<Row[][]>;
}

/** A pool of connections, each opened when it is first needed and replaced after it was lost. */
export interface Pool extends Sql, AsyncDisposable {
  /**
   * Runs work in a transaction: committed when the work resolves, rolled back when it rejects. When the connection is
   * lost this rejects at once, and whatever the work still tries is refused.
   */
  begin<T>(work: (transaction: Sql) => Promise<T>): Promise<T>;
  /** Lets calls under way finish, for five seconds at most, and closes the connections. May be called again. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** How many connections there are at most. Further calls wait for a free one. */
  max?: number;
  /** Statements are prepared once for each connection, unless this is false. */
  prepare?: boolean;
  /** The role to take on in place of the one that logs in. */
  role?: string;
  /** After how many milliseconds without an answer a connection counts as lost. Never, when left out. */
  answerWithin?: number;
}

/** A connection could not be made, or was lost. Whether the statement was carried out is not known. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
  readonly code = "connection_lost";
}

const CONNECT_MS = 10_000;
const IDLE_MS = 60_000;
const CLOSE_MS = 5_000;

/** A value as JSON, for a parameter of type json or jsonb. */
export const asJson = (value: unknown): string => JSON.stringify(value);

/** Whether the database itself refused a statement, rather than the way to it. Its code is a SQLSTATE. */
export const isDatabaseError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError;

/** Makes a pool. Nothing is connected before the first query. */
export function openPool(url: string, options: PoolOptions = {}): Pool {
  const { max = 5, prepare = true, role, answerWithin } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: "dues",
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    ...(role === undefined ? {} : { options: `-c role=${role}` }),
    ...(answerWithin === undefined ? {} : { query_timeout: answerWithin }),
  });
  const connected = new Set<pg.PoolClient>();
  pool.on("connect", (client) => {
    connected.add(client);
    // A loss is told to whoever waits for an answer, and otherwise found at the next query.
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
    // Its connection may be in other hands by now.
    if (isOver) throw new ConnectionLostError("The transaction is over.");
    return ask(client, query);
  }, prepare);
  try {
    await ask(client, "begin");
    client.once("end", onEnd);
    // Nobody waits for work that cannot be committed any more.
    const result = await Promise.race([work(transaction), lost.promise]);
    const { command } = await ask(client, "commit");
    // That is how the server answers when a statement has failed and the work went on all the same.
    if (command === "ROLLBACK") {
      throw new Error("Nothing was committed: a statement of the transaction had failed.");
    }
    return result;
  } catch (error) {
    // The server rolls back by itself what nobody is connected to any more.
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

/** After such an error the server closes the connection. */
const isFatal = (error: unknown) =>
  isDatabaseError(error) && (error.severity === "FATAL" || error.severity === "PANIC");

interface Statement {
  text: string;
  name: string;
}

/** A template's strings are the same object each time it is evaluated, which makes them the key of its statement. */
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
