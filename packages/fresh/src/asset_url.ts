/** The query parameter that ties an address to one build. */
export const LOCK = "__frsh_c";

/** `path` with the build's id as a query parameter, if it is a path on this host and not locked yet. */
export function lockUrl(path: string, buildId: string): string {
  if (buildId === "" || !/^\/(?!\/)/.test(path) || path.includes(`${LOCK}=`)) {
    return path;
  }
  const [address, hash] = path.split(/(?=#)/, 2);
  return `${address}${address.includes("?") ? "&" : "?"}${LOCK}=${buildId}${hash ?? ""}`;
}

/** The same for each candidate of a `srcset`. */
function lockSrcset(srcset: string, buildId: string): string {
  return srcset.replace(
    /(^\s*|,\s*)(\/\S*?)(?=,?(?:\s|$))/g,
    (_, before, path) => before + lockUrl(path, buildId),
  );
}

/** Locks the `src` and `srcset` of an `<img>` or `<source>`, in place. */
export function lockImage(type: unknown, props: Record<string, unknown>, buildId: string): void {
  if ((type !== "img" && type !== "source") || "data-fresh-disable-lock" in props) return;
  if (typeof props.src === "string") props.src = lockUrl(props.src, buildId);
  for (const name of ["srcset", "srcSet"]) {
    const value = props[name];
    if (typeof value === "string") props[name] = lockSrcset(value, buildId);
  }
}
