/** The whole stack for a test file, on free ports and a database of its own. */
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import type { Cluster } from "../../local/postgres/cluster.ts";
import { buildApp } from "./build.ts";
import { createDatabase, type TestDatabase } from "./database.ts";

export interface TestStack extends Stack, AsyncDisposable {
  database: TestDatabase;
}

type TestStackOptions =
  & { app?: "built" | "none"; cluster?: Cluster }
  & Pick<StackOptions, "checkout" | "plansFile" | "stripePermissions" | "onLine">;

/**
 * Starts the stack with the built plugin, or without it. `await using` or stop() stops it and drops the database. stop()
 * rejects when a process of the stack has died, so that the test fails.
 */
export async function startTestStack(
  { app = "built", cluster, ...options }: TestStackOptions = {},
): Promise<TestStack> {
  if (app === "built") await buildApp();
  const database = await createDatabase("migrated", cluster);
  try {
    const stack = await startStack({
      portBase: 0,
      ephemeral: true,
      app,
      ...options,
      database: { cluster: database.cluster, name: database.name },
    });
    let failure: Error | undefined;
    stack.failed.then((error) => failure = error);
    const stop = async () => {
      await stack.stop();
      await database.drop();
      if (failure) throw failure;
    };
    return { ...stack, database, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await database.drop();
    throw error;
  }
}
