/** `deno run -A packages/stripe-simulator/tests/coverage/write_table.ts`: writes the table of the README. */
import { withTable } from "./coverage_table.ts";

const path = new URL("../../README.md", import.meta.url);
await Deno.writeTextFile(path, await withTable(await Deno.readTextFile(path)));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path.pathname] }).output();
