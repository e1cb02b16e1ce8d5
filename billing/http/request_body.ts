import { z } from "zod";
import { BillingError } from "../errors.ts";
import { isStorableJson } from "../storable_text.ts";
import { RequestFault } from "./problem.ts";

/** How long a body may take to arrive, from the moment that it is read. */
const BODY_MS = 10_000;

/**
 * The body, exactly as sent. Reads at most `maxBytes`, whatever length the request declares, and waits ten seconds at most.
 *
 * Throws `RequestFault`: `payload_too_large`, `body_timeout`, or `incomplete_body` when the connection ends before the body.
 */
export async function readBytes(request: Request, maxBytes: number, withinMs = BODY_MS): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();

  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooSlow = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RequestFault("body_timeout", "Send the body at once.")), withinMs);
  });
  // Servers take exactly the declared number of bytes from the connection (RFC 9112, 6.3), so all of it may be read at once.
  const read = declared === null ? readChunks(request.body, maxBytes) : request.arrayBuffer();
  try {
    return new Uint8Array(await Promise.race([read, tooSlow]));
  } catch (error) {
    // A rejection after the deadline is nobody's any more.
    read.catch(() => {});
    if (error instanceof RequestFault) throw error;
    throw new RequestFault("incomplete_body", "The connection ended before the body did.");
  } finally {
    clearTimeout(timer);
  }
}

async function readChunks(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

const tooLarge = (maxBytes: number) =>
  new RequestFault("payload_too_large", `At most ${maxBytes} bytes are accepted.`);

/** Bytes that are UTF-8 without a byte order mark, as text; undefined for any others (RFC 8259, 8.1). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return undefined;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const MAX_JSON_BYTES = 16 * 1024;

/**
 * The body as JSON that fits the schema. Throws `RequestFault`: what readBytes throws, `invalid_json` (also for bytes that are
 * no UTF-8) and `invalid_request`; and `BillingError` `invalid_text` for a text with NUL or half of a surrogate pair, which
 * nothing behind this could store.
 */
export async function readJson<T extends z.ZodType>(
  request: Request,
  schema: T,
  maxBytes = MAX_JSON_BYTES,
): Promise<z.output<T>> {
  const text = decodeUtf8(await readBytes(request, maxBytes));
  let body: unknown;
  try {
    if (text === undefined) throw new SyntaxError("The body is not UTF-8.");
    body = JSON.parse(text);
  } catch {
    throw new RequestFault("invalid_json", "Send a JSON object, encoded in UTF-8.");
  }
  if (!isStorableJson(body)) {
    throw new BillingError("invalid_text", "A text of the body contains NUL or half of a surrogate pair.");
  }
  const result = schema.safeParse(body);
  if (!result.success) throw new RequestFault("invalid_request", faultsOf(result.error));
  return result.data;
}

/** At most ten of them, because the sender decides how many there are. */
const faultsOf = (error: z.ZodError) =>
  error.issues.slice(0, 10).map(({ path, message }) =>
    `${path.join(".").slice(0, 100) || "the body"}: ${message.slice(0, 200)}`
  ).join("; ");
