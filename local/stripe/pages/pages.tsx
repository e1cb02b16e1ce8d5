import type { Account } from "../account/account.ts";
import { showCheckout, submitCheckout } from "./checkout.tsx";
import { showDashboard } from "./dashboard.tsx";
import { downloadInvoice, showInvoice } from "./invoice.tsx";
import { html, Notice } from "./layout.tsx";
import { showCancel, showPortal, submitPortal } from "./portal.tsx";

type Groups = Record<string, string | undefined>;
type Page = (groups: Groups, request: Request) => Response | Promise<Response>;

const style = await Deno.readTextFile(new URL("./style.css", import.meta.url));

/** Builds the handler of the pages that people click: checkout, portal, invoices and the dashboard. */
export function createPages(account: Account): (request: Request) => Response | Promise<Response> {
  const subscription = "/p/session/:token/subscriptions/:id";
  const routes: [method: string, pattern: URLPattern, page: Page][] = [
    ["GET", route("/"), () => showDashboard(account)],
    ["GET", route("/style.css"), () => new Response(style, { headers: { "content-type": "text/css" } })],
    ["GET", route("/c/pay/:id"), ({ id = "" }) => showCheckout(account, id)],
    ["POST", route("/c/pay/:id"), ({ id = "" }, request) => submitCheckout(account, id, request)],
    ["GET", route("/p/session/:token"), ({ token = "" }) => showPortal(account, token)],
    ["GET", route(`${subscription}/cancel`), ({ token = "", id = "" }) => showCancel(account, token, id)],
    ["POST", route(`${subscription}/:action(cancel|renew)`), ({ token = "", id = "", action = "" }) => {
      return submitPortal(account, token, id, action);
    }],
    ["GET", route("/invoice/:id"), ({ id = "" }) => showInvoice(account, id)],
    ["GET", route("/invoice/:id/pdf"), ({ id = "" }) => downloadInvoice(account, id)],
  ];

  return (request) => {
    for (const [method, pattern, page] of routes) {
      const match = request.method === method ? pattern.exec(request.url) : null;
      if (match) return page(match.pathname.groups, request);
    }
    return html(<Notice title="Page not found" text="There is nothing at this address." />, 404);
  };
}

function route(pathname: string): URLPattern {
  return new URLPattern({ pathname });
}
