/**
 * The line (from 1) of a key in a valid TOML document. When the key is missing, the line of the innermost table or key that
 * should contain it. Everything inside an inline table or array is on the line where that starts.
 */
export function lineOf(text: string, path: readonly PropertyKey[]): number {
  const wanted = path.map(String);
  const elements = new Map<string, number>();
  let table: string[] = [];
  let best = { depth: 0, line: 1 };
  text.split("\n").forEach((content, index) => {
    const header = content.match(/^\s*(\[\[?)([^\]]+)\]/);
    if (header) table = tablePath(keysOf(header[2]), header[1] === "[[", elements);
    const key = content.match(/^\s*([\w.\-"' ]+?)\s*=/);
    const here = key ? [...table, ...keysOf(key[1])] : header ? table : [];
    const isOnTheWay = here.length <= wanted.length && here.every((part, depth) => part === wanted[depth]);
    if (isOnTheWay && here.length > best.depth) best = { depth: here.length, line: index + 1 };
  });
  return best.line;
}

/** The path of a header's table. `[[name]]` starts the next element of an array; other headers mean its last element. */
function tablePath(keys: string[], beginsElement: boolean, elements: Map<string, number>): string[] {
  const path: string[] = [];
  for (const [depth, key] of keys.entries()) {
    path.push(key);
    const array = path.join(".");
    if (beginsElement && depth === keys.length - 1) elements.set(array, (elements.get(array) ?? -1) + 1);
    const element = elements.get(array);
    if (element !== undefined) path.push(String(element));
  }
  return path;
}

/** The parts of a key: bare, quoted, or dotted. */
const keysOf = (written: string): string[] =>
  [...written.matchAll(/"([^"]*)"|'([^']*)'|([^\s."']+)/g)].map(([, double, single, bare]) =>
    double ?? single ?? bare
  );
