import type { ComponentChildren, VNode } from "preact";
import { renderToString } from "preact-render-to-string";

interface LayoutProps {
  title: string;
  /** A name for the page's own styles. */
  kind: "checkout" | "portal" | "dashboard" | "notice" | "invoice";
  children: ComponentChildren;
}

/** The frame of every page: no scripts, one style sheet, nothing from elsewhere. */
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
  /** The origin of the page around the frame. */
  embedder: string;
  /** Present once the checkout is paid: where the top window goes then, or null for nowhere. */
  completed?: { redirectTo: string | null };
  children: ComponentChildren;
}

/** The frame of a checkout inside another page: one script, which talks to the page around it. */
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

/** The mark that nothing here is real. */
export function Sandbox() {
  return <span class="badge sandbox">Sandbox</span>;
}

/** A page that only says something, with at most one way on. */
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

/** Stripe's own pages refuse to be framed, so these do as well. */
const unframed = {
  ...headers,
  "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
  "x-frame-options": "DENY",
};

/** Embedded checkout lives in a frame, on whatever page. */
const framed = {
  ...headers,
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'",
};

export function html(page: VNode, status = 200): Response {
  return new Response(`<!doctype html>${renderToString(page)}`, { status, headers: unframed });
}

/** A page that may be framed. */
export function framedHtml(page: VNode, status = 200): Response {
  return new Response(`<!doctype html>${renderToString(page)}`, { status, headers: framed });
}

/** Sends the browser on after a form: with GET, to whatever address. */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store" } });
}
