/** Stands between a server and what it talks to (its database, Stripe), and can break their connection at a chosen moment. */

/** `query`: before what is sent arrives. `answer`: when it has been carried out, but nobody hears. */
export type Break = "query" | "answer";

export interface Proxy extends AsyncDisposable {
  /** The address, with this proxy in place of the server it names. */
  through(url: string): string;
  /** Breaks the next connection that gets so far. `text` waits for a query with that text in it. */
  breakNext(when: Break, text?: string): void;
  /** Takes back what breakNext() asked for and what has not happened. */
  relent(): void;
}

interface Plan {
  when: Break;
  text: string;
}

/** Starts a proxy to a TCP server on this machine. `onBreak` hears of each break the moment it happens. */
export function startProxy(port: number, onBreak: () => void = () => {}): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  let plan: Plan | null = null;

  async function pair(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(client).add(server);
    let doom: Plan | null = null;
    const strike = () => {
      plan = null;
      onBreak();
      close(client, server);
    };
    const up = copy(client, server, (sent) => {
      if (plan === null || !sent.includes(plan.text)) return true;
      if (plan.when === "query") strike();
      else doom = plan;
      return plan !== null;
    });
    const down = copy(server, client, () => {
      if (doom === null || doom !== plan) return true;
      strike();
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
    relent: () => void (plan = null),
    async [Symbol.asyncDispose]() {
      listener.close();
      close(...open);
      await accepting;
      await Promise.all(pairs);
    },
  };
}

/** Passes bytes on for as long as `passes` agrees and both ends are there. */
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
    // One end is gone, by our doing or by its own.
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
