/** A real PostgreSQL server from npm, as one of the processes of the local stack. */
import type { Children } from "../processes/children.ts";

/** The superuser, with the name it has on hosted Supabase. The role `postgres` is no superuser. */
export const SUPERUSER = "supabase_admin";

/** What the server's process prints when it accepts connections. */
export const READY_LINE = "postgres is ready";
/** The variable with the superuser's password. */
export const PASSWORD_VARIABLE = "DUES_POSTGRES_PASSWORD";

export interface PostgresOptions {
  port: number;
  /** Of the superuser. It is set when the folder is created. */
  password: string;
  /** Where the data lives, or null for a temporary folder that is deleted with the server. */
  dataFolder: string | null;
}

/**
 * Starts a server on 127.0.0.1 as one of the children, and resolves when it accepts connections.
 *
 * If the folder does not exist, it is created with an empty cluster in it. Rejects as Children.start() does.
 */
export async function startPostgres(children: Children, options: PostgresOptions): Promise<void> {
  await children.start({
    name: "postgres",
    module: "local/postgres/postgres_server.ts",
    args: [`--port=${options.port}`, ...(options.dataFolder ? [`--data=${options.dataFolder}`] : [])],
    env: { [PASSWORD_VARIABLE]: options.password },
    readyWhen: { line: READY_LINE },
  });
}
