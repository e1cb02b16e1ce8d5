import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { Manifest } from "../serve_build.ts";
import type { Bundle } from "./bundle.ts";
import type { Project } from "./project.ts";
import { contentType, readStatic } from "./static_content.ts";

/** Writes all that the production server needs to `_fresh/`, in place of what was there. */
export async function writeBuild(project: Project, bundle: Bundle, id: string): Promise<void> {
  const outDir = join(project.root, "_fresh");
  await Deno.remove(outDir, { recursive: true }).catch(ignoreMissing);

  const manifest: Manifest = {
    id,
    files: {},
    boot: bundle.boot,
    signals: bundle.signals,
    islands: Object.fromEntries(bundle.islands),
  };
  const addFile = async (url: string, content: Uint8Array, immutable: boolean) => {
    const hash = createHash("sha256").update(content).digest("base64url");
    manifest.files[url] = { type: contentType(url), etag: `W/"${hash}"`, immutable };
    await write(join(outDir, "public", url), content);
  };
  for (const path of project.staticFiles) {
    await addFile(`/${path}`, await readStatic(join(project.root, "static", path), id), false);
  }
  for (const [url, content] of bundle.files) await addFile(url, content, true);

  const encoder = new TextEncoder();
  await write(join(outDir, "manifest.json"), encoder.encode(JSON.stringify(manifest, null, 2)));
  await write(join(outDir, "server.js"), encoder.encode(serverEntry(project)));
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function write(path: string, content: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, content);
}

/** Imports everything statically, so that starting the server needs no look at the project's folders. */
function serverEntry({ routes, islands }: Project): string {
  const modules = (paths: string[], name: string, folder: string) => ({
    imports: paths.map((path, i) => `import * as ${name}${i} from ${JSON.stringify(`../${folder}${path}`)};`),
    entries: paths.map((path, i) => `    ${JSON.stringify(path)}: ${name}${i},`),
  });
  const route = modules(routes, "route", "routes/");
  const island = modules(islands, "island", "");
  const lines = [
    `import { serveBuild } from "fresh/serve-build";`,
    `import { app } from "../main.ts";`,
    `import manifest from "./manifest.json" with { type: "json" };`,
    ...route.imports,
    ...island.imports,
    "",
    "export default serveBuild(app, {",
    "  manifest,",
    "  folder: import.meta.dirname,",
    "  routes: {",
    ...route.entries,
    "  },",
    "  islands: {",
    ...island.entries,
    "  },",
    "});",
    "",
  ];
  return lines.join("\n");
}
