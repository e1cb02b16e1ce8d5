const STRIPE_ORIGINS = ["https://checkout.stripe.com", "https://billing.stripe.com"];

/**
 * The address to open when a plugin asks for `url`, or null when this page must not go there. Allowed are Stripe's
 * checkout and portal and the given origins; an address with a user name or password never is.
 */
export function allowedDestination(url: string, extraOrigins: string[]): string | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  if (parsed.username || parsed.password) return null;
  // Not `parsed.origin`: a blob: address has the origin of the page that made it.
  const origin = `${parsed.protocol}//${parsed.host}`;
  return [...STRIPE_ORIGINS, ...extraOrigins].includes(origin) ? parsed.href : null;
}

/**
 * Returns `value` when it is a bare http(s) origin.
 *
 * @throws {TypeError} naming the value, since an address with a path would never equal an event's origin.
 */
export function requireOrigin(value: string): string {
  const isBare = /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
  if (!isBare) throw new TypeError(`Dues needs an origin such as https://dues.example, not "${value}"`);
  return value;
}
