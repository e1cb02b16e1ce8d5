import type { ComponentChildren, VNode } from "preact";
import { renderToString } from "preact-render-to-string";

interface LayoutProps {
  title: string;
  /** The class of the body, for the styles of this kind of page. */
  kind: "checkout" | "portal" | "dashboard" | "notice" | "invoice";
  children: ComponentChildren;
}

/** The layout of a page: no scripts, one style sheet, nothing from other origins. */
export function Layout({ title, kind, children }: LayoutProps) {
  return (
    <html lang="en">
      <Head title={title} />
      <body class={kind}>{children}</body>
    </html>
  );
}

interface EmbeddedLayoutProps {
  title: string;
  /** The origin of the embedding page. */
  embedder: string;
  /** Set when the checkout is complete: the URL for the top window, or null. */
  completed?: { redirectTo: string | null };
  children: ComponentChildren;
}

/** The layout of an embedded checkout. Its script talks to the embedding page. */
export function EmbeddedLayout({ title, embedder, completed, children }: EmbeddedLayoutProps) {
  return (
    <html lang="en">
      <Head title={title}>
        <script defer src="/stripe-js/embedded_frame.js" />
      </Head>
      <body
        class="checkout embedded"
        data-embedder={embedder}
        data-completed={completed && ""}
        data-redirect-to={completed?.redirectTo ?? undefined}
      >
        {children}
      </body>
    </html>
  );
}

function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{title}</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="/style.css" />
      {children}
    </head>
  );
}

/** The badge of simulated pages. */
export function Sandbox() {
  return <span class="badge sandbox">Sandbox</span>;
}

/** A page with a message and at most one link. */
export function Notice(
  { title, text, link }: { title: string; text: string; link?: { href: string; label: string } },
) {
  return (
    <Layout title={title} kind="notice">
      <main class="card">
        <Sandbox />
        <h1>{title}</h1>
        <p>{text}</p>
        {link && <a class="button" href={link.href}>{link.label}</a>}
      </main>
    </Layout>
  );
}

const headers = {
  "content-type": "text/html; charset=utf-8",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Like Stripe's pages, these cannot be framed. */
const unframed = {
  ...headers,
  "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
  "x-frame-options": "DENY",
};

/** Embedded checkout can be framed by any page. */
const framed = {
  ...headers,
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'",
};

export function html(page: VNode, status = 200): Response {
  return new Response(`<!doctype html>${renderToString(page)}`, { status, headers: unframed });
}

/** Renders a page that can be framed. */
export function framedHtml(page: VNode, status = 200): Response {
  return new Response(`<!doctype html>${renderToString(page)}`, { status, headers: framed });
}

/** Redirects to any URL with GET after a submitted form. */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store" } });
}
