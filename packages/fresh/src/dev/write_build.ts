import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { Manifest } from "../serve_build.ts";
import type { Bundle } from "./bundle.ts";
import type { Project } from "./project.ts";
import { contentType } from "./content_type.ts";

/** Writes all that the production server needs to `_fresh/`, in place of what was there. */
export async function writeBuild(project: Project, bundle: Bundle, id: string): Promise<void> {
  const outDir = join(project.root, "_fresh");
  await Deno.remove(outDir, { recursive: true }).catch(ignoreMissing);

  const manifest: Manifest = { id, files: {}, client: bundle.client };
  const addFile = async (url: string, content: Uint8Array, immutable: boolean) => {
    const hash = createHash("sha256").update(content).digest("base64url");
    manifest.files[url] = { type: contentType(url), etag: `W/"${hash}"`, immutable };
    await write(join(outDir, "public", url), content);
  };
  for (const path of project.staticFiles) {
    await addFile(`/${path}`, await Deno.readFile(join(project.root, "static", path)), false);
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
  const imports = (paths: string[], name: string, folder: string) =>
    paths.map((path, i) => `import * as ${name}${i} from ${JSON.stringify(`../${folder}${path}`)};`);
  return [
    `import { serveBuild } from "fresh/serve-build";`,
    `import { app } from "../main.ts";`,
    `import manifest from "./manifest.json" with { type: "json" };`,
    ...imports(routes, "route", "routes/"),
    ...imports(islands, "island", ""),
    "",
    "export default serveBuild(app, {",
    "  manifest,",
    "  folder: import.meta.dirname,",
    "  routes: {",
    ...routes.map((path, i) => `    ${JSON.stringify(path)}: route${i},`),
    "  },",
    `  islands: [${islands.map((_, i) => `island${i}`).join(", ")}],`,
    "});",
    "",
  ].join("\n");
}
