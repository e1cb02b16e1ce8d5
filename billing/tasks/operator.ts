import { openPool, type Pool } from "../db/sql.ts";

/** A connection with an operator's rights (role postgres), closed when it goes out of scope. */
export function connectOperator(url: string): Pool {
  return openPool(url, { max: 4 });
}
