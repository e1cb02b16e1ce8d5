import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Html, html } from "../parent_app/html.ts";
import { Answers, type KeyPair, Refusal } from "./answers.ts";
import { communities, type Community, people, type Person } from "./communities.ts";

export interface CommonGroundOptions {
  /** The plugin's origin. */
  pluginUrl: string;
  /** What signs the plugin's requests, and what signs the answers: with Common Ground one and the same pair. */
  requestKeys: KeyPair;
  answerKeys: KeyPair;
}

const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-pointer-lock allow-downloads";

/**
 * Stands in for Common Ground: a community's page with the plugin in its iframe, at
 * `/c/{community}/plugin/{pluginId}/`, and the server that answers signed requests. Whoever calls with the cookie
 * `person=ada` is Ada.
 */
export function createCommonGround(options: CommonGroundOptions): (request: Request) => Promise<Response> {
  const answers = new Answers(options.requestKeys.publicKey, options.answerKeys.privateKey);
  const script = bundleScript();

  async function answer(request: Request): Promise<Response> {
    const person = personOf(request);
    if (!person) return refuse("LOGIN_REQUIRED");
    try {
      return Response.json(answers.answer(person, await request.json()));
    } catch (error) {
      if (error instanceof Refusal) return refuse(error.message);
      throw error;
    }
  }

  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/Plugins/pluginRequest" && request.method === "POST") return await answer(request);
    if (pathname === "/host_page.js") {
      return new Response(await script, { headers: { "content-type": "text/javascript" } });
    }
    const community = communities.find(({ url, pluginId }) => pathname === `/c/${url}/plugin/${pluginId}/`);
    const person = personOf(request);
    if (!community || !person) return new Response("Nothing here", { status: 404 });
    return new Response(communityPage(community, person, options.pluginUrl).text, {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  };
}

/** The address of a community's page with the plugin, on a stand-in of this origin. */
export function pluginPage(origin: string, { url, pluginId }: Community): string {
  return `${origin}/c/${url}/plugin/${pluginId}/`;
}

function personOf(request: Request): Person | undefined {
  const handle = /(?:^|; )person=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  return people.find((person) => person.handle === handle);
}

function communityPage(community: Community, person: Person, pluginUrl: string): Html {
  const iframeUid = crypto.randomUUID().replaceAll("-", "").slice(0, 10);
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <title>${community.title}</title>
        <link rel="icon" href="data:,">
        <style>
          body { font: 1rem/1.5 system-ui; margin: 1.5rem }
          iframe { width: 100%; height: 40rem; border: 1px solid #8884; border-radius: 0.75rem }
        </style>
      </head>
      <body
        data-plugin-origin="${pluginUrl}"
        data-plugin-id="${community.pluginId}"
        data-user-id="${person.id}"
        data-iframe-uid="${iframeUid}"
      >
        <h1>${community.title}</h1>
        <iframe
          title="Plan and billing"
          src="${pluginUrl}/?iframeUid=${iframeUid}&amp;cg_theme=dark&amp;cg_bg_color=%23161820"
          sandbox="${SANDBOX}"
        ></iframe>
        <dialog>
          <p>You are leaving for <output></output></p>
          <a target="_blank" rel="noopener">Continue</a>
        </dialog>
        <script src="/host_page.js"></script>
      </body>
    </html>
  `;
}

function refuse(error: string): Response {
  return Response.json({ error }, { status: 400 });
}

async function bundleScript(): Promise<string> {
  const { outputFiles: [script] } = await build({
    entryPoints: [fileURLToPath(new URL("host_page.ts", import.meta.url))],
    bundle: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  return script.text;
}
