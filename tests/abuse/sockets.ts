/** Raw connections, for requests that no HTTP client would send. */

export interface RawAnswer {
  /** Everything that came back, as Latin-1 text. */
  text: string;
  /** Milliseconds from the opening to the end. */
  took: number;
  /** Whether the other side closed the connection, rather than the patience running out. */
  closed: boolean;
}

/** A connection on which `write` sends text; reads are collected. */
export async function openSocket(url: string) {
  const { hostname, port } = new URL(url);
  const began = performance.now();
  const connection = await Deno.connect({ hostname, port: Number(port) });
  let text = "";
  let closedAfter: number | undefined;
  const over = (async () => {
    const buffer = new Uint8Array(16_384);
    try {
      for (;;) {
        const read = await connection.read(buffer);
        if (read === null) break;
        text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
      }
    } catch {
      // Reset by the other side, or closed by this one.
    }
    closedAfter = performance.now() - began;
  })();
  async function writeBytes(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
      return true;
    } catch {
      return false;
    }
  }
  return {
    /** False when the other side has closed the connection. */
    write: (data: string): Promise<boolean> => writeBytes(new TextEncoder().encode(data)),
    writeBytes,
    get text() {
      return text;
    },
    get isClosed() {
      return closedAfter !== undefined;
    },
    /** Waits until the other side closes the connection, `patience` milliseconds at most. */
    async end(patience: number): Promise<RawAnswer> {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([over, new Promise((resolve) => timer = setTimeout(resolve, patience))]);
      clearTimeout(timer);
      const answer = {
        text,
        took: closedAfter ?? performance.now() - began,
        closed: closedAfter !== undefined,
      };
      this.close();
      await over;
      return answer;
    },
    close() {
      try {
        connection.close();
      } catch {
        // It is closed.
      }
    },
  };
}

export type Socket = Awaited<ReturnType<typeof openSocket>>;

/** Sends one text and resolves with what came back once the other side has closed the connection. */
export async function exchange(url: string, text: string, patience = 5_000): Promise<RawAnswer> {
  const socket = await openSocket(url);
  await socket.write(text);
  return await socket.end(patience);
}

/** The status of the first answer; 0 for none. */
export const statusOf = ({ text }: { text: string }): number =>
  Number(text.match(/^HTTP\/1\.1 (\d{3})/)?.[1] ?? 0);

/** The time below which `share` of the values lie. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
