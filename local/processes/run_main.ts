import { LocalError } from "../errors.ts";

/** Runs a program and ends with the exit code it returns, or with 1: a LocalError is shown as its message alone. */
export async function runMain(main: () => Promise<number>): Promise<never> {
  try {
    return Deno.exit(await main());
  } catch (error) {
    console.error(error instanceof LocalError ? error.message : error);
    Deno.exit(1);
  }
}
