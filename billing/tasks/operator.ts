import postgres from "postgres";

/** A connection with an operator's rights (role postgres), closed when it goes out of scope. */
export function connectOperator(url: string): postgres.Sql & AsyncDisposable {
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  return Object.assign(sql, { [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) });
}
