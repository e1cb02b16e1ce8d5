import { Children } from "../processes/children.ts";
import { type Cluster, newPasswords } from "./cluster.ts";
import { freePorts } from "../processes/ports.ts";
import { startPostgres } from "./start_postgres.ts";

/** Starts an empty cluster on a free port. It and its data are deleted when `children` stop. */
export async function startEphemeralCluster(children: Children): Promise<Cluster> {
  const passwords = newPasswords();
  const [port] = freePorts(1);
  await startPostgres(children, { port, password: passwords.supabase_admin, dataFolder: null });
  return { port, passwords };
}

/** Runs `work` on a new, empty cluster. */
export async function withEphemeralCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const children = new Children();
  try {
    return await work(await startEphemeralCluster(children));
  } finally {
    await children.stop();
  }
}
