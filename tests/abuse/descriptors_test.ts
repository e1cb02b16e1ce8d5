import assert from "node:assert/strict";
import { projectPath, projectRoot } from "../../local/paths.ts";
import type { ConnectionCounts } from "../../server/http_server.ts";
import { report } from "./pressing.ts";
import { openSocket } from "./sockets.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The server's counts; undefined when it does not answer. */
async function countsOf(url: string): Promise<ConnectionCounts | undefined> {
  try {
    const response = await fetch(url, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(1_500),
    });
    return await response.json();
  } catch {
    return undefined;
  }
}

Deno.test("a server that runs out of file descriptors while accepting is back within seconds, also while it is held", async () => {
  const process = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n 90; exec "$0" run -A "$1"',
      Deno.execPath(),
      projectPath("tests", "abuse", "small_server.ts"),
    ],
    cwd: projectRoot,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  const url = `http://127.0.0.1:${value!.trim()}`;
  try {
    await pause(9_000);
    assert.equal((await countsOf(url))?.relistened, 0, "the watch finds nothing wrong with a healthy server");

    const held = await Promise.allSettled(Array.from({ length: 200 }, () => openSocket(url)));
    const sockets = held.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    const began = performance.now();
    let counts: ConnectionCounts | undefined;
    while (!counts && performance.now() - began < 30_000) {
      counts = await countsOf(url);
      await pause(200);
    }
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    report("90 file descriptors, 200 silent connections", { backAfterSeconds: seconds, counts });
    assert.ok(counts, "answers again while the connections are held");
    sockets.forEach((socket) => socket.close());
    await pause(10_000);
    const after = (await countsOf(url))!;
    await pause(7_000);
    assert.equal((await countsOf(url))!.relistened, after.relistened, "and is left alone afterwards");
  } finally {
    process.kill("SIGKILL");
    await process.status;
    await reader.cancel();
  }
});
