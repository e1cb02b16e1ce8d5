/** Names the folder that `deno task test` removes at its end, however it ends. */
export const TEMPORARY_VARIABLE = "DUES_TEST_TEMPORARY";

export interface TemporaryFolder extends AsyncDisposable {
  path: string;
}

/** An empty folder that every user of this machine may enter. `await using` removes it. */
export async function makeTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ dir: Deno.env.get(TEMPORARY_VARIABLE), prefix: "dues-test-" });
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
