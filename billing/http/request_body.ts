import { z } from "zod";
import { BillingError } from "../errors.ts";
import { isStorableJson } from "../storable_text.ts";
import { RequestFault } from "./problem.ts";

/**
 * The body as text; bytes that are not UTF-8 become U+FFFD, or throw a TypeError with `fatal`. Reads at most `maxBytes`, whatever length the request declares, and throws
 * `RequestFault` `payload_too_large` beyond that.
 */
export async function readText(
  request: Request,
  maxBytes: number,
  { fatal = false } = {},
): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);

  const decoder = new TextDecoder("utf-8", { fatal });
  let text = "";
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const tooLarge = (maxBytes: number) =>
  new RequestFault("payload_too_large", `At most ${maxBytes} bytes are accepted.`);

const MAX_JSON_BYTES = 16 * 1024;

/**
 * The body as JSON that fits the schema. Throws `RequestFault`: `payload_too_large`, `invalid_json`, `invalid_request`; and
 * `BillingError` `invalid_text` for a text with NUL or half of a surrogate pair, which nothing behind this could store.
 */
export async function readJson<T extends z.ZodType>(
  request: Request,
  schema: T,
  maxBytes = MAX_JSON_BYTES,
): Promise<z.output<T>> {
  let body: unknown;
  try {
    body = JSON.parse(await readText(request, maxBytes, { fatal: true }));
  } catch (error) {
    if (error instanceof RequestFault) throw error;
    throw new RequestFault("invalid_json", "Send a JSON object, encoded in UTF-8.");
  }
  if (!isStorableJson(body)) {
    throw new BillingError("invalid_text", "A text of the body contains NUL or half of a surrogate pair.");
  }
  const result = schema.safeParse(body);
  if (!result.success) throw new RequestFault("invalid_request", faultsOf(result.error));
  return result.data;
}

const faultsOf = (error: z.ZodError) =>
  error.issues.map(({ path, message }) => `${path.join(".") || "the body"}: ${message}`).join("; ");
