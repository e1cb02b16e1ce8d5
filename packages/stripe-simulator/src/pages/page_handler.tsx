import type { Account } from "../account/account.ts";
import { showEmbedded, submitEmbedded } from "./checkout/embedded_checkout_page.tsx";
import { showCheckout, submitCheckout } from "./checkout/hosted_checkout_page.tsx";
import { showDashboard } from "./dashboard/dashboard_page.tsx";
import { resendEvent, showEvent } from "./dashboard/event_page.tsx";
import { downloadInvoice, payInvoice, showInvoice } from "./invoice/invoice_page.tsx";
import { html, Notice } from "./page_layout.tsx";
import { showCancel, submitCancel } from "./portal/cancel_page.tsx";
import { showCustomer, submitCustomer } from "./portal/customer_page.tsx";
import { showPaymentMethod, submitPaymentMethod } from "./portal/payment_method_page.tsx";
import { showConfirmation, showUpdate, submitUpdate } from "./portal/plan_update_page.tsx";
import { showPortal, submitRenewal } from "./portal/portal_home_page.tsx";

type Groups = Record<string, string | undefined>;
type Page = (groups: Groups, request: Request) => Response | Promise<Response>;

const [style, stripeJs, embeddedFrame] = await Promise.all(
  ["./style.css", "./stripe_js/stripe.js", "./stripe_js/embedded_frame.js"].map((file) => {
    return Deno.readTextFile(new URL(file, import.meta.url));
  }),
);

/** Creates the handler of the pages: checkout, portal, invoices and dashboard. */
export function createPages(account: Account): (request: Request) => Response | Promise<Response> {
  const portal = "/p/session/:token";
  const subscription = `${portal}/subscriptions/:id`;
  const routes: [method: string, pattern: URLPattern, page: Page][] = [
    ["GET", route("/"), () => showDashboard(account)],
    ["GET", route("/events/:id"), ({ id = "" }) => showEvent(account, id)],
    ["POST", route("/events/:id/resend"), ({ id = "" }, request) => resendEvent(account, id, request)],
    ["GET", route("/style.css"), () => file(style, "text/css")],
    ["GET", route("/:release(stripe-js|endive)/stripe.js"), () => {
      return file(stripeJs.replace("{{simulator}}", account.origin), "text/javascript");
    }],
    ["GET", route("/stripe-js/embedded_frame.js"), () => file(embeddedFrame, "text/javascript")],
    ["GET", route("/c/embedded/:secret"), ({ secret = "" }, request) => {
      return showEmbedded(account, secret, request);
    }],
    ["POST", route("/c/embedded/:secret"), ({ secret = "" }, request) => {
      return submitEmbedded(account, secret, request);
    }],
    ["GET", route("/c/pay/:id"), ({ id = "" }) => showCheckout(account, id)],
    ["POST", route("/c/pay/:id"), ({ id = "" }, request) => submitCheckout(account, id, request)],
    ["GET", route(portal), ({ token = "" }, request) => showPortal(account, token, request)],
    ["GET", route(`${portal}/payment-method`), ({ token = "" }) => showPaymentMethod(account, token)],
    ["POST", route(`${portal}/payment-method`), ({ token = "" }, request) => {
      return submitPaymentMethod(account, token, request);
    }],
    ["GET", route(`${portal}/customer`), ({ token = "" }) => showCustomer(account, token)],
    [
      "POST",
      route(`${portal}/customer`),
      ({ token = "" }, request) => submitCustomer(account, token, request),
    ],
    ["GET", route(`${subscription}/cancel`), ({ token = "", id = "" }) => showCancel(account, token, id)],
    ["POST", route(`${subscription}/cancel`), ({ token = "", id = "" }, request) => {
      return submitCancel(account, token, id, request);
    }],
    ["POST", route(`${subscription}/renew`), ({ token = "", id = "" }) => submitRenewal(account, token, id)],
    ["GET", route(`${subscription}/update`), ({ token = "", id = "" }) => showUpdate(account, token, id)],
    ["GET", route(`${subscription}/update/confirm`), ({ token = "", id = "" }, request) => {
      return showConfirmation(account, token, id, request);
    }],
    ["POST", route(`${subscription}/update/confirm`), ({ token = "", id = "" }, request) => {
      return submitUpdate(account, token, id, request);
    }],
    ["GET", route("/invoice/:id"), ({ id = "" }) => showInvoice(account, id)],
    ["POST", route("/invoice/:id"), ({ id = "" }, request) => payInvoice(account, id, request)],
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

/** A static file that pages of any origin can load. */
function file(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "access-control-allow-origin": "*",
      "cache-control": "no-store",
      "cross-origin-resource-policy": "cross-origin",
    },
  });
}

function route(pathname: string): URLPattern {
  return new URLPattern({ pathname });
}
