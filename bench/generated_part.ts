/** Parts of documents that a task writes. */
import { outputOf } from "../local/postgres/generated_file.ts";

/** Replaces what is between `<!-- NAME: … -->` and `<!-- end of NAME -->`. Throws when the marks are missing. */
export function withGenerated(text: string, name: string, generated: string): string {
  const begin = text.match(RegExp(`<!-- ${name}: [^>]*-->\n`));
  const end = `<!-- end of ${name} -->`;
  if (!begin || !text.includes(end)) throw new Error(`The document has no marks for ${name}.`);
  const from = begin.index! + begin[0].length;
  return `${text.slice(0, from)}\n${generated}\n\n${text.slice(text.indexOf(end, from))}`;
}

/** Markdown as `deno fmt` leaves it. */
export const formattedMarkdown = (text: string): Promise<string> =>
  outputOf(Deno.execPath(), ["fmt", "--ext=md", "-"], text);
