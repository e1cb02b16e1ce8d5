/** The query parameter that ties an address to one build. */
export const LOCK = "__frsh_c";

/** `path` with the build's id as a query parameter, if it is a path on this host and not locked yet. */
export function lockUrl(path: string, buildId: string): string {
  if (buildId === "" || !/^\/(?!\/)/.test(path) || path.includes(`${LOCK}=`)) return path;
  const [address, hash] = path.split(/(?=#)/, 2);
  return `${address}${address.includes("?") ? "&" : "?"}${LOCK}=${buildId}${hash ?? ""}`;
}
