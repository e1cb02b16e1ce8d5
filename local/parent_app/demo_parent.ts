import { bundleScript } from "../../packages/parent/bundle.ts";
import { signIdentityToken } from "./identity_token.ts";
import { communityPage, notFoundPage } from "./community_page.ts";
import { communities, type Community, isAdmin } from "./people.ts";
import { Sessions } from "./sessions.ts";

/** The configuration of the demo parent app. */
export interface ParentOptions {
  /** Its own origin, as browsers see it: the issuer of identity tokens. */
  parentUrl: string;
  /** The plugin's origin: the audience of identity tokens. */
  pluginUrl: string;
  /** Signs identity tokens, HS256. */
  jwtSecret: string;
  /** Where the plugin may send people besides Stripe: the local stand-in for Stripe. */
  extraOpenOrigins: string[];
}

interface Place {
  community: Community;
  pluginId: string | null;
  /** With a slash at the end, ids percent-encoded. */
  path: string;
  /** The last segment; undefined for the page itself. */
  leaf: string | undefined;
}

const PLACE = /^(?<path>\/c\/(?<communityId>[^/]+)\/(?:plugin\/(?<pluginId>[^/]+)\/)?)(?<leaf>dues-token)?$/;

/** The demo parent app as a request handler. Bundles the parent script once, when made. */
export function createParentApp(options: ParentOptions): (request: Request) => Promise<Response> {
  const sessions = new Sessions();
  const script = bundleScript();
  const style = Deno.readTextFile(new URL("style.css", import.meta.url));

  async function signIn(request: Request): Promise<Response> {
    const form = await request.formData();
    const cookie = sessions.signIn(String(form.get("personId")));
    if (!cookie) return new Response("Nobody has that id", { status: 422 });
    const location = ownAddress(String(form.get("returnTo")), options.parentUrl);
    return new Response(null, { status: 303, headers: { location, "set-cookie": cookie } });
  }

  /** The person and their rights come from the session and the app's own records only. */
  async function identityToken(request: Request, { community, pluginId }: Place): Promise<Response> {
    const person = sessions.personOf(request);
    if (!person) return Response.json({ error: "signed out" }, { status: 401 });
    if (!community.members.includes(person)) return Response.json({ error: "not a member" }, { status: 403 });
    const token = await signIdentityToken({
      issuer: options.parentUrl,
      audience: options.pluginUrl,
      userId: person.id,
      communityId: community.id,
      communityTitle: community.title,
      isAdmin: isAdmin(community, person),
      pluginId,
    }, options.jwtSecret);
    return Response.json({ identityToken: token }, { headers: { "cache-control": "no-store" } });
  }

  function showCommunity(request: Request, { community, pluginId, path }: Place): Response {
    const { pluginUrl, extraOpenOrigins } = options;
    const person = sessions.personOf(request);
    const page = communityPage({ community, person, pluginId, path, pluginUrl, extraOpenOrigins });
    return htmlResponse(page, 200, pluginUrl);
  }

  return async (request) => {
    const { origin, pathname } = new URL(request.url);
    const isPost = request.method === "POST";
    if (isPost && request.headers.get("origin") !== options.parentUrl) {
      return new Response("Refused: sent by another site", { status: 403 });
    }
    if (pathname === "/health") return Response.json({ ok: true });
    // Under another name for this machine the plugin would be the same site, and every form would be refused.
    if (!isPost && origin !== options.parentUrl) return Response.redirect(options.parentUrl + pathname);
    if (pathname === "/") return new Response(null, { status: 302, headers: { location: "/c/garden/" } });
    if (pathname === "/dues-parent.js") return textResponse(await script, "text/javascript");
    if (pathname === "/style.css") return textResponse(await style, "text/css");
    if (pathname === "/sign-in" && isPost) return await signIn(request);
    const place = findPlace(pathname);
    if (place?.leaf === "dues-token" && isPost) return await identityToken(request, place);
    if (place && !place.leaf) return showCommunity(request, place);
    return htmlResponse(notFoundPage(), 404, options.pluginUrl);
  };
}

function findPlace(pathname: string): Place | null {
  const { path, communityId, pluginId, leaf } = PLACE.exec(pathname)?.groups ?? {};
  const community = communities.find(({ id }) => id === communityId);
  if (!community) return null;
  try {
    return { community, path, leaf, pluginId: pluginId === undefined ? null : decodeURIComponent(pluginId) };
  } catch {
    return null; // not valid percent-encoding
  }
}

/** Only pages of this app, so that signing in is no open redirect. */
function ownAddress(address: string, parentUrl: string): string {
  const url = URL.parse(address, parentUrl);
  return url?.origin === parentUrl ? url.pathname : "/";
}

function textResponse(text: string, type: string): Response {
  return new Response(text, {
    headers: { "content-type": `${type}; charset=utf-8`, "cache-control": "no-cache" },
  });
}

function htmlResponse(text: string, status: number, pluginUrl: string): Response {
  return new Response(text, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'self'; img-src 'self' data:; frame-src ${pluginUrl}; frame-ancestors 'none'; base-uri 'none'`,
      "cache-control": "no-store",
    },
  });
}
