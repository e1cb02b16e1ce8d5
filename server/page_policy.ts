import type { ServerConfig } from "../billing/config.ts";

/**
 * What the plugin's pages may load and who may show them, as directives of a Content-Security-Policy
 * (https://www.w3.org/TR/CSP3/). Stripe's hosts are allowed only where checkout happens inside the page.
 */
export function pagePolicy(
  { parentAppUrl, checkout }: Pick<ServerConfig, "parentAppUrl" | "checkout">,
): string[] {
  return [
    // The one place that may show these pages in a frame: who can frame them can trick people into clicking.
    `frame-ancestors ${parentAppUrl}`,
    "font-src 'none'",
    "media-src 'none'",
    "worker-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...(checkout.uiMode === "embedded" ? embeddedCheckout(checkout.stripeJsUrl) : []),
  ];
}

/** What Stripe.js needs (https://docs.stripe.com/security/guide#content-security-policy), or its stand-in. */
function embeddedCheckout(stripeJsUrl: string | null): string[] {
  // With the policy's nonce in place of 'unsafe-inline'.
  const ownScripts = "script-src 'self' 'unsafe-inline'";
  if (stripeJsUrl) {
    const { origin } = new URL(stripeJsUrl);
    return [`${ownScripts} ${origin}`, `frame-src ${origin}`, `connect-src 'self' ${origin}`];
  }
  const scripts = "https://js.stripe.com https://*.js.stripe.com";
  const link = "https://link.com https://*.link.com";
  return [
    `${ownScripts} ${scripts} https://checkout.stripe.com`,
    `frame-src ${scripts} https://hooks.stripe.com https://checkout.stripe.com ${link}`,
    `connect-src 'self' https://api.stripe.com https://checkout.stripe.com ${link}`,
    "img-src 'self' data: https://*.stripe.com",
  ];
}
