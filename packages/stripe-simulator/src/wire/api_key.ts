import { unauthorized } from "./errors.ts";

/**
 * Accepts every secret or restricted test key, as bearer token or as the user name of basic authentication. Throws a
 * 401 for a missing or malformed key, for a publishable key, and for a live key, because live keys must never reach a
 * simulator.
 */
export function checkApiKey(request: Request) {
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

function mask(key: string): string {
  return key.length > 12 ? `${key.slice(0, 8)}****${key.slice(-4)}` : "****";
}
