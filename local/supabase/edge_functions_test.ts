import assert from "node:assert/strict";
import { join } from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporary_folder.ts";
import { LocalError } from "../errors.ts";
import { readFunctions } from "./edge_functions.ts";

/** A folder laid out like `supabase/`, with that configuration and those functions. */
async function project(config: string, ...functions: string[]) {
  const temporary = await makeTemporaryFolder();
  const folder = temporary.path;
  await Deno.writeTextFile(join(folder, "config.toml"), config);
  for (const name of functions) await Deno.mkdir(join(folder, "functions", name), { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose]() };
}

Deno.test("readFunctions(): a function that config.toml does not mention asks for a token", async () => {
  await using it = await project("", "hello");
  assert.deepEqual(await readFunctions(it.folder), [
    { name: "hello", verifyJwt: true, entrypoint: join(it.folder, "functions/hello/index.ts"), env: {} },
  ]);
});

Deno.test("readFunctions() takes entrypoint, verify_jwt and env from config.toml, and leaves out _shared", async () => {
  await using it = await project(
    `[functions.hello]
     verify_jwt = false
     entrypoint = "./functions/hello/main.ts"
     [functions.hello.env]
     NAME = "env(SECRET_NAME)"`,
    "hello",
    "_shared",
  );
  assert.deepEqual(await readFunctions(it.folder), [{
    name: "hello",
    verifyJwt: false,
    entrypoint: join(it.folder, "functions/hello/main.ts"),
    env: { NAME: "SECRET_NAME" },
  }]);
});

for (
  const [what, config, message] of [
    ["a misspelt key", "[functions.hello]\nverify_jtw = false", /verify_jtw/],
    ["a value of the wrong type", '[functions.hello]\nverify_jwt = "no"', /functions\.hello\.verify_jwt/],
    ["a literal secret", '[functions.hello.env]\nKEY = "sk_live_1"', /env\(NAME\)/],
    ["broken TOML", "[functions.hello", /config\.toml cannot be used/],
  ] as const
) {
  Deno.test(`readFunctions() refuses ${what} in config.toml and names it`, async () => {
    await using it = await project(config, "hello");
    await assert.rejects(readFunctions(it.folder), (error) => {
      assert(error instanceof LocalError);
      assert.equal(error.code, "bad_config");
      assert.match(error.message, message);
      return true;
    });
  });
}
