/** One keep-alive connection over a plain socket, one request at a time: the load process adds as little time as it can. */

export interface Reply {
  status: number;
  /** Milliseconds from the first byte sent to the last received. */
  milliseconds: number;
  bytes: number;
  /** The body, when it was asked for or the status is not 200. */
  body?: string;
}

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const text = new TextDecoder();

export class HttpConnection implements Disposable {
  #buffer = new Uint8Array(256 * 1024);
  #filled = 0;

  private constructor(private readonly socket: Deno.TcpConn) {}

  static async open(port: number): Promise<HttpConnection> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new HttpConnection(socket);
  }

  /** Sends the bytes of a whole request and reads the answer to its end. Rejects when the server hangs up. */
  async exchange(request: Uint8Array, keepBody = false): Promise<Reply> {
    const begun = performance.now();
    for (let sent = 0; sent < request.length;) sent += await this.socket.write(request.subarray(sent));
    this.#filled = 0;
    let headLength = -1;
    while (headLength < 0) {
      await this.#more();
      headLength = indexOf(this.#buffer.subarray(0, this.#filled), HEAD_END);
    }
    const head = text.decode(this.#buffer.subarray(0, headLength));
    const bodyAt = headLength + HEAD_END.length;
    const body = await this.#body(head, bodyAt);
    const milliseconds = performance.now() - begun;
    const status = Number(head.slice(9, 12));
    const isKept = keepBody || status !== 200;
    return { status, milliseconds, bytes: body.length, ...(isKept ? { body: text.decode(body) } : {}) };
  }

  async #more(): Promise<void> {
    if (this.#filled === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const read = await this.socket.read(this.#buffer.subarray(this.#filled));
    if (read === null) throw new Error("The server closed the connection.");
    this.#filled += read;
  }

  /** By its length or in chunks (RFC 9112, section 6). */
  async #body(head: string, from: number): Promise<Uint8Array> {
    const [, length] = head.match(/\r\ncontent-length: *(\d+)/i) ?? [];
    if (length !== undefined) {
      const end = from + Number(length);
      while (this.#filled < end) await this.#more();
      return this.#buffer.subarray(from, end);
    }
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return new Uint8Array();
    const chunks: Uint8Array[] = [];
    for (let at = from;;) {
      let lineEnd = -1;
      while ((lineEnd = this.#buffer.subarray(0, this.#filled).indexOf(10, at)) < 0) await this.#more();
      const size = parseInt(text.decode(this.#buffer.subarray(at, lineEnd)), 16);
      const end = lineEnd + 1 + size + 2;
      while (this.#filled < end) await this.#more();
      if (size === 0) break;
      chunks.push(this.#buffer.slice(lineEnd + 1, lineEnd + 1 + size));
      at = end;
    }
    const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    chunks.reduce((at, chunk) => (whole.set(chunk, at), at + chunk.length), 0);
    return whole;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** The bytes of a request. */
export function requestBytes(
  { method, path, port, headers, body = "" }: {
    method: string;
    path: string;
    port: number;
    headers: Record<string, string>;
    body?: string;
  },
): Uint8Array {
  const encoder = new TextEncoder();
  const payload = encoder.encode(body);
  const all = {
    host: `127.0.0.1:${port}`,
    connection: "keep-alive",
    ...headers,
    ...(method === "POST" ? { "content-length": String(payload.length) } : {}),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = encoder.encode(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}
