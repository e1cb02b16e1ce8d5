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
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body class={kind}>{children}</body>
    </html>
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

/** Stripe's own pages refuse to be framed, so these do as well. */
const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

export function html(page: VNode, status = 200): Response {
  return new Response(`<!doctype html>${renderToString(page)}`, { status, headers });
}

/** Sends the browser on after a form: with GET, to whatever address. */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store" } });
}
