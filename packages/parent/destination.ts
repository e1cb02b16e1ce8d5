const STRIPE_ORIGINS = ["https://checkout.stripe.com", "https://billing.stripe.com"];

/**
 * The address to open when a plugin asks for `url`, or null if it is not allowed. Allowed are Stripe's checkout and
 * portal and `extraOrigins`, but never an address with a user name or password.
 */
export function allowedDestination(url: string, extraOrigins: string[]): string | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  if (parsed.username || parsed.password) return null;
  // Not `parsed.origin`: for a blob: address that is the origin of the page that created it.
  const origin = `${parsed.protocol}//${parsed.host}`;
  return [...STRIPE_ORIGINS, ...extraOrigins].includes(origin) ? parsed.href : null;
}

/**
 * Returns `value` if it is a bare http(s) origin. An address with a path would never equal the origin of a message.
 *
 * @throws {TypeError} if it is anything else.
 */
export function requireOrigin(value: string): string {
  const isBare = /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
  if (!isBare) throw new TypeError(`Dues needs an origin such as https://dues.example, not "${value}"`);
  return value;
}
