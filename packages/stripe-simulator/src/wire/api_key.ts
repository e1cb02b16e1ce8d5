import { unauthorized } from "./errors.ts";

/**
 * Returns the secret or restricted test key of a request. It can be a bearer token or the user name of basic
 * authentication; any test key is accepted. Throws a 401 for a missing or malformed key, for a publishable key, and for a live key, because live keys must never reach a
 * simulator.
 */
export function checkApiKey(request: Request): string {
  const key = readKey(request.headers.get("authorization") ?? "");
  if (key === "") {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer " +
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  }
  if (key.startsWith("pk_")) {
    throw unauthorized(
      "This API call cannot be made with a publishable API key. Please use a secret API key.",
      "secret_key_required",
    );
  }
  if (!/^(sk|rk)_test_\w+$/.test(key)) throw unauthorized(`Invalid API Key provided: ${mask(key)}`);
  return key;
}

function readKey(authorization: string): string {
  const [scheme, value = ""] = authorization.split(" ");
  if (/^bearer$/i.test(scheme)) return value;
  if (/^basic$/i.test(scheme)) return decodeBasic(value);
  return "";
}

function decodeBasic(value: string): string {
  try {
    return atob(value).split(":")[0];
  } catch {
    return "";
  }
}

/** The key as Stripe's messages show it. */
export function mask(key: string): string {
  return key.length > 12 ? `${key.slice(0, 8)}${"*".repeat(key.length - 12)}${key.slice(-4)}` : "****";
}
