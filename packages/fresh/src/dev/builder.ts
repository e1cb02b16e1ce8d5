import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { App } from "../app.ts";
import { type Build, collectIslands, type StaticFile } from "../build.ts";
import { type Bundle, bundleClient } from "./bundle.ts";
import { contentType } from "./content_type.ts";
import { type Project, readProject } from "./project.ts";
import { writeBuild } from "./write_build.ts";

/** Where the app lies. */
export interface BuilderOptions {
  /** Folder of `main.ts`, `routes/`, `islands/` and `static/`; the current one by default. */
  root?: string;
}

/** Where to listen; every option of `Deno.serve`. */
export type ListenOptions = Partial<Deno.ServeTcpOptions>;

/** Builds an app for production, or serves it from its sources during development. */
export class Builder {
  readonly #root: string;
  readonly #islands: string[] = [];

  constructor(options: BuilderOptions = {}) {
    this.#root = resolve(options.root ?? ".");
  }

  /** Adds an island that lies outside `islands/`: a module of the project, as a `file:` URL. */
  registerIsland(specifier: string): void {
    this.#islands.push(relative(this.#root, fileURLToPath(specifier)).replaceAll("\\", "/"));
  }

  /** Writes `_fresh/`, to be served with `deno serve -A _fresh/server.js`. */
  async build(): Promise<void> {
    const project = this.#readProject();
    const buildId = deploymentId() ?? crypto.randomUUID().replaceAll("-", "");
    const bundle = await bundleClient({ ...project, buildId, production: true });
    await writeBuild(project, bundle, buildId);
  }

  /**
   * Serves the app that `importApp` loads, on 127.0.0.1 unless told otherwise. Run it with `deno run --watch`: pages
   * reload themselves when the server has restarted.
   */
  async listen<State>(
    importApp: () => Promise<{ app: App<State> }>,
    options: ListenOptions = {},
  ): Promise<void> {
    const project = this.#readProject();
    const buildId = crypto.randomUUID();
    const [{ app }, bundle] = await Promise.all([
      importApp(),
      bundleClient({ ...project, buildId, production: false }),
    ]);
    const handler = app.handler(await developmentBuild(project, bundle, buildId));
    await Deno.serve(
      { hostname: "127.0.0.1", ...options },
      (req) => new URL(req.url).pathname === "/_fresh/alive" ? sayAlive(req, buildId) : handler(req),
    ).finished;
  }

  #readProject(): Project {
    const project = readProject(this.#root);
    return { ...project, islands: [...project.islands, ...this.#islands] };
  }
}

/** Instances of one deployment must agree on the id even if each builds for itself. */
function deploymentId(): string | undefined {
  return ["DENO_DEPLOYMENT_ID", "GITHUB_SHA", "CI_COMMIT_SHA"].map((name) => Deno.env.get(name)).find(
    Boolean,
  );
}

async function developmentBuild(project: Project, bundle: Bundle, id: string): Promise<Build> {
  const load = (path: string) => import(pathToFileURL(resolve(project.root, path)).href);
  const routes = project.routes.map(async (path) => ({ path, module: await load(`routes/${path}`) }));
  return {
    id,
    routes: await Promise.all(routes),
    islands: collectIslands(await Promise.all(project.islands.map(load))),
    files: developmentFiles(project, bundle),
    client: bundle.client,
    reload: bundle.reload,
  };
}

function developmentFiles(project: Project, bundle: Bundle): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const path of project.staticFiles) {
    const read = () => Deno.readFile(resolve(project.root, "static", path));
    files.set(`/${path}`, { type: contentType(path), immutable: false, read });
  }
  for (const [url, content] of bundle.files) {
    files.set(url, { type: contentType(url), immutable: true, read: () => Promise.resolve(content) });
  }
  return files;
}

/** Tells the page which run of the server it talks to, for as long as that run lasts. */
function sayAlive(req: Request, buildId: string): Response {
  if (req.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
  const { socket, response } = Deno.upgradeWebSocket(req);
  socket.onopen = () => socket.send(buildId);
  return response;
}
