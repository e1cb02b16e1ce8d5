import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../local/paths.ts";
import { copyProject, upstreamConfig } from "../../local/upstream_check.ts";
import { runDeno } from "../support/run_deno.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";

Deno.test("deno task upstream:check where JSR cannot be reached says so and exits with code 2", async () => {
  const { code, stdout } = await runDeno([
    "run",
    "-A",
    "local/upstream_check.ts",
    "--jsr=http://127.0.0.1:9",
  ]);
  assert.equal(code, 2);
  assert.equal(
    stdout,
    "JSR cannot be reached at http://127.0.0.1:9 (no connection), so nothing is proved about upstream Fresh. " +
      "Run this where it can.\n",
  );
});

Deno.test("deno task upstream:check works on the project without packages/fresh and without the lock", async () => {
  await using folder = await makeTemporaryFolder();
  await copyProject(projectRoot, folder.path);
  for (const path of ["packages/fresh", "deno.lock", "node_modules", "_fresh", ".git"]) {
    assert.ok(!existsSync(join(folder.path, path)), path);
  }
  for (
    const path of ["main.ts", "routes/api/health.ts", "packages/stripe-simulator/mod.ts", "tests/run.ts"]
  ) {
    assert.ok(existsSync(join(folder.path, path)), path);
  }
  const config = upstreamConfig(JSON.parse(await Deno.readTextFile(join(projectRoot, "deno.json")))) as {
    links?: unknown;
    imports: Record<string, string>;
  };
  assert.equal(config.links, undefined);
  assert.match(config.imports.fresh, /^jsr:@fresh\/core@/);
});
