/**
 * `deno task bench:docs`: writes the figures of bench/results.json and bench/scale_results.json into docs/performance.md and
 * docs/scale.md, between the marks there, and the plots into bench/plots. With `--check` it writes nothing, and ends with exit
 * code 1 when something is not what the results say.
 */
import { parseArgs } from "node:util";
import { runMain } from "../local/processes/run_main.ts";
import { projectPath } from "../local/paths.ts";
import { formattedMarkdown, withGenerated } from "./generated_part.ts";
import { performancePlots } from "./performance_plots.ts";
import { conditions, figureTables, goalTable } from "./performance_tables.ts";
import { leftOutOfRun, readResults } from "./results.ts";
import { scalePlots } from "./scale/scale_plots.ts";
import { readScaleResults } from "./scale/scale_results.ts";
import { byteTable, probeTables, scaleConditions } from "./scale/scale_tables.ts";
import { markdown } from "./tables.ts";

/** Every file that follows from the results, with its text. */
async function generate(): Promise<Map<string, string>> {
  const results = await readResults();
  const scale = await readScaleResults();
  const files = new Map<string, string>();
  const document = async (path: string, parts: Record<string, string[]>) => {
    let text = await Deno.readTextFile(projectPath(path));
    for (const [part, paragraphs] of Object.entries(parts)) {
      text = withGenerated(text, part, paragraphs.join("\n\n"));
    }
    files.set(path, await formattedMarkdown(text));
  };
  await document("docs/performance.md", {
    goals: [
      conditions(results),
      markdown(goalTable(results)),
      ...leftOutOfRun(results).map((text) => `Left out: ${text}`),
    ],
    figures: figureTables(results).map(markdown),
  });
  await document("docs/scale.md", {
    bytes: [markdown(byteTable(scale))],
    probes: [scaleConditions(scale), ...probeTables(scale).map(markdown)],
  });
  const plots = [...await performancePlots(results), ...await scalePlots(scale)];
  for (const [name, svg] of plots) files.set(`bench/plots/${name}`, svg);
  return files;
}

async function main(args: string[]): Promise<number> {
  const { check } = parseArgs({ args, options: { check: { type: "boolean", default: false } } }).values;
  let stale = 0;
  for (const [path, text] of await generate()) {
    if (await Deno.readTextFile(projectPath(path)).catch(() => "") === text) continue;
    if (check) {
      console.error(`${path} is not what the results say: run deno task bench:docs.`);
      stale++;
    } else {
      await Deno.writeTextFile(projectPath(path), text);
      console.log(`${path} is written.`);
    }
  }
  return stale > 0 ? 1 : 0;
}

if (import.meta.main) await runMain(() => main(Deno.args));
