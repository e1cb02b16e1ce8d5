import type { ServerConfig } from "../billing/config.ts";

/**
 * The Content-Security-Policy of the plugin's pages, as directives (https://www.w3.org/TR/CSP3/). Allows Stripe's hosts
 * only if the checkout opens inside the page.
 */
export function pagePolicy(
  { parentAppUrl, checkout }: Pick<ServerConfig, "parentAppUrl" | "checkout">,
): string[] {
  return [
    // Any other site that could frame these pages could trick people into clicking on them.
    `frame-ancestors ${parentAppUrl}`,
    "font-src 'none'",
    "media-src 'none'",
    "worker-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...(checkout.uiMode === "embedded" ? embeddedCheckout(checkout.stripeJsUrl) : []),
  ];
}

/** What Stripe.js needs (https://docs.stripe.com/security/guide#content-security-policy), or its substitute. */
function embeddedCheckout(stripeJsUrl: string | null): string[] {
  // The csp middleware replaces 'unsafe-inline' with a nonce.
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
