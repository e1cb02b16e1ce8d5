/** Tables of figures: for the terminal and, as Markdown, for the documents. */

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** As many digits as a figure deserves. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 100
    ? Math.round(value).toLocaleString("en")
    : size >= 10
    ? value.toFixed(1)
    : value.toFixed(2);
}

export const markdown = ({ title, head, rows }: Table): string => {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [`**${title}**`, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
};

export function text({ title, head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column].length)));
  const line = (cells: string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd();
  return [title, line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
