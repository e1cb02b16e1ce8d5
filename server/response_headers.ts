/** The headers that every answer carries, whoever made it. */

/** What the headers depend on. */
export interface HeaderOptions {
  /** Where the plugin is served. */
  pluginUrl: string;
  /** Whether Stripe's checkout opens inside the page. */
  isEmbedded: boolean;
}

/** Nothing at all: for answers that are no pages and that no page's own policy covers. */
const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** https://www.w3.org/TR/permissions-policy/: what neither the pages nor frames in them may use. */
const UNUSED_FEATURES = [
  "accelerometer",
  "autoplay",
  "browsing-topics",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "hid",
  "magnetometer",
  "microphone",
  "midi",
  "publickey-credentials-get",
  "serial",
  "usb",
];

/** Makes the function that completes an answer's headers. Headers that the app has set stay. */
export function headerWriter({ pluginUrl, isEmbedded }: HeaderOptions) {
  const common: [string, string][] = [
    ["x-content-type-options", "nosniff"],
    // Addresses may contain a community's id, which no other site may learn.
    ["referrer-policy", "strict-origin-when-cross-origin"],
    // For a page that is opened by itself; in a frame it has no effect (https://html.spec.whatwg.org/#coop).
    ["cross-origin-opener-policy", "same-origin-allow-popups"],
    ["permissions-policy", permissions(isEmbedded)],
    // A year, for this host only: other hosts of the domain are not this plugin's business (RFC 6797).
    ...(pluginUrl.startsWith("https:")
      ? [["strict-transport-security", "max-age=31536000"] as [string, string]]
      : []),
  ];

  return (response: Response): Response => {
    const { headers } = response;
    const isPage = headers.get("content-type")?.startsWith("text/html") ?? false;
    const set = (name: string, value: string) => headers.has(name) || headers.set(name, value);
    for (const [name, value] of common) set(name, value);
    // A parent that isolates itself (COEP) may show the page, and nobody may load anything else from here.
    set("cross-origin-resource-policy", isPage ? "cross-origin" : "same-origin");
    set("content-security-policy", NO_CONTENT_POLICY);
    set("cache-control", isPage && response.status === 200 ? "private, no-cache" : "no-store");
    headers.append("vary", "accept-language");
    return response;
  };
}

function permissions(isEmbedded: boolean): string {
  // Apple Pay and Google Pay are offered inside Stripe's frame (https://docs.stripe.com/security/guide).
  const payment = isEmbedded
    ? 'payment=(self "https://js.stripe.com" "https://checkout.stripe.com")'
    : "payment=()";
  return [...UNUSED_FEATURES.map((feature) => `${feature}=()`), payment].join(", ");
}

/** An answer that was made before the configuration is known, with the headers that do not depend on it. */
export const hardened = headerWriter({ pluginUrl: "http:", isEmbedded: false });
