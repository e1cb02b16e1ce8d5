/** An escape within JSON: both halves of a surrogate pair, one code unit, or any other. */
const ESCAPE = /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u([0-9a-f]{4})|\\[^u]/gi;
const SUSPECT = /\\u(0000|d[89a-f])/i;

/**
 * JSON text that Postgres can store. NUL and half a surrogate pair, which its text cannot hold
 * (https://www.postgresql.org/docs/17/datatype-json.html), become U+FFFD. Anything else stays as it is.
 */
export function storableJson(json: string): string {
  if (!SUSPECT.test(json)) return json;
  return json.replace(ESCAPE, (escape, _high, _low, unit?: string) => {
    const code = unit === undefined ? null : parseInt(unit, 16);
    const isUnstorable = code === 0 || (code !== null && code >= 0xd800 && code <= 0xdfff);
    return isUnstorable ? "\\ufffd" : escape;
  });
}
