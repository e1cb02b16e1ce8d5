/**
 * `deno task doctor [--json] [--delivery | --no-delivery] [--version]`: checks the whole installation and prints a line for
 * each check: what is right, or what is wrong and what to do. Exit code 1 when something is wrong, 0 with warnings only.
 */
import { parseArgs } from "node:util";
import { processEnvironment } from "../config.ts";
import { diagnose, type Diagnosis } from "../doctor/diagnosis.ts";
import { version } from "../version.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    delivery: { type: "boolean" },
    version: { type: "boolean", default: false },
  },
  allowNegative: true,
});
if (values.version) {
  console.log(`Dues ${version}`);
  Deno.exit(0);
}
const diagnosis = await diagnose(processEnvironment(), { delivery: values.delivery });
if (values.json) console.log(JSON.stringify({ version, ...diagnosis }));
else print(diagnosis);
Deno.exit(diagnosis.ok ? 0 : 1);

function print({ results }: Diagnosis) {
  const marks = { right: "✓", error: "✗", warning: "!", skipped: "-" };
  const width = Math.max(...results.map(({ name }) => name.length));
  let group = "";
  for (const result of results) {
    if (result.group !== group) console.log(`\n${group = result.group}`);
    console.log(`  ${marks[result.status]} ${result.name.padEnd(width)}  ${result.sentence}`);
    if (result.cure) console.log(`    ${" ".repeat(width)}→ ${result.cure} (${result.docs})`);
  }
  const count = (status: string) => results.filter((result) => result.status === status).length;
  console.log(
    `\n${count("right")} right, ${count("error")} wrong, ${count("warning")} to look at, ${
      count("skipped")
    } not checked`,
  );
}
