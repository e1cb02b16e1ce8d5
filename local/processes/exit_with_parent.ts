/**
 * Makes a process of the local stack end when its starter does, however that ends.
 *
 * The starter holds the write end of this process's standard input and never writes to it. When the starter
 * dies, even by SIGKILL, the operating system closes the pipe, and this process sends itself SIGTERM, so that
 * a program with its own SIGTERM handler still closes its files properly. Run it with
 * `deno run --preload local/processes/exit_with_parent.ts PROGRAM`.
 */

/** How long a program may take to end by itself before it is cut off. */
const GRACE_MS = 5_000;

async function exitWithParent(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  // Signals are for programs that may run others; one that may not just ends.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") Deno.exit(0);
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), GRACE_MS));
  Deno.kill(Deno.pid, "SIGTERM");
}

// Deno runs a preloaded module until it has nothing left to wait for, and the program only then. A timer that does
// not count as something to wait for puts the reading off until the program runs.
Deno.unrefTimer(setTimeout(exitWithParent, 50));
