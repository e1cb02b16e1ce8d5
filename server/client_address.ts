/** Which address a request comes from, for limits and for the log. */

const peers = new WeakMap<Request, string>();

/** Keeps the address of the connection that a request came on. */
export function rememberPeer(request: Request, address: string | undefined): void {
  if (address !== undefined) peers.set(request, address);
}

/**
 * The address of the caller; an IPv6 address by its first 64 bits, because one household or server has them all. Undefined
 * when the server in use does not tell.
 *
 * `trustedProxies` is how many proxies in front append to X-Forwarded-For: the entry of the outermost counts, and nothing that
 * the caller sent in this header does. Null stands for one proxy on this machine, and for none when the connection comes from
 * elsewhere.
 */
export function clientAddress(request: Request, trustedProxies: number | null): string | undefined {
  const peer = peers.get(request);
  const count = trustedProxies ?? (peer !== undefined && LOOPBACK.test(peer) ? 1 : 0);
  if (count === 0) return peer && networkOf(peer);
  const forwarded = (request.headers.get("x-forwarded-for") ?? "").split(",").map((entry) => entry.trim())
    .filter(Boolean);
  const address = forwarded.at(-count) ?? forwarded[0] ?? peer;
  return address && networkOf(address);
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/i;

/** 2001:db8:1:2:3:4:5:6 becomes 2001:db8:1:2::/64; IPv4 stays, also where it is written as IPv6 (RFC 4291, 2.5.5.2). */
export function networkOf(address: string): string {
  const mapped = address.match(/^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/i)?.[1];
  if (mapped) return mapped;
  if (!address.includes(":")) return address.slice(0, 64);
  const [head, tail] = address.toLowerCase().replace(/%.*$/, "").split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${groups.join(":")}::/64`.slice(0, 64);
}
