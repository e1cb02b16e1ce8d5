/** A proxy between a server and its database or Stripe, which can break a connection at a chosen moment. */

/** `query`: before the message arrives. `answer`: after it was carried out, before the answer arrives. */
export type Break = "query" | "answer";

export interface Proxy extends AsyncDisposable {
  /** The address, with this proxy in place of the server it names. */
  through(url: string): string;
  /** Breaks the next connection that reaches this moment, with a message that contains `text`. */
  breakNext(when: Break, text?: string): void;
  /** Cancels a break that has not happened. */
  cancelBreak(): void;
}

interface Plan {
  when: Break;
  text: string;
}

/** Starts a proxy to a TCP server on this machine. `onBreak` is called at each break. */
export function startProxy(port: number, onBreak: () => void = () => {}): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  let plan: Plan | null = null;

  async function pair(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(client).add(server);
    let awaited: Plan | null = null;
    const breakPair = () => {
      plan = null;
      onBreak();
      close(client, server);
    };
    const up = copy(client, server, (sent) => {
      if (plan === null || !sent.includes(plan.text)) return true;
      if (plan.when === "query") breakPair();
      else awaited = plan;
      return plan !== null;
    });
    const down = copy(server, client, () => {
      if (awaited === null || awaited !== plan) return true;
      breakPair();
      return false;
    });
    await Promise.all([up, down]);
    close(client, server);
  }

  function close(...connections: Deno.TcpConn[]) {
    for (const connection of connections.filter((connection) => open.delete(connection))) connection.close();
  }

  const pairs = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const client of listener) {
      const running = pair(client).finally(() => pairs.delete(running));
      pairs.add(running);
    }
  })();

  return {
    through(url) {
      const address = new URL(url);
      address.port = String(listener.addr.port);
      return address.href;
    },
    breakNext: (when, text = "") => void (plan = { when, text }),
    cancelBreak: () => void (plan = null),
    async [Symbol.asyncDispose]() {
      listener.close();
      close(...open);
      await accepting;
      await Promise.all(pairs);
    },
  };
}

/** Passes bytes on until `passes` returns false or an end closes. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn, passes: (text: string) => boolean): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
      const bytes = buffer.subarray(0, size);
      if (!passes(decoder.decode(bytes))) return;
      for (let written = 0; written < size;) written += await to.write(bytes.subarray(written));
    }
    await to.closeWrite();
  } catch (error) {
    // One end was closed, by this proxy or by itself.
    if (!isGone(error)) throw error;
  }
}

const isGone = (error: unknown) =>
  [
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.NotConnected,
    Deno.errors.Interrupted,
    Deno.errors.ConnectionAborted,
  ].some((kind) => error instanceof kind);
