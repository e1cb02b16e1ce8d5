/** `deno run -A packages/stripe-simulator/tests/conformance/write_report.ts`: writes REPORT.md. */
import { startSimulator } from "../../testing.ts";
import { findDifferences, writeReport } from "./report.ts";

await using rig = await startSimulator();
const path = new URL("./REPORT.md", import.meta.url);
await Deno.writeTextFile(path, writeReport(await findDifferences(rig)));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path.pathname] }).output();
