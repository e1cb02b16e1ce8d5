/**
 * Ends a process of the local stack when the process that started it ends, in whatever way.
 *
 * The starter holds the write end of this process's standard input and never writes to it. When the starter
 * dies, even by SIGKILL, the operating system closes the pipe, and this process sends itself SIGTERM, so that
 * a program with its own SIGTERM handler still closes its files properly. Run it with
 * `deno run --preload local/processes/exit_with_parent.ts PROGRAM`.
 */

/** How long a program may take to end after SIGTERM. */
const GRACE_MS = 5_000;

async function exitWithParent(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  // A program without the permission to run others may not send signals either; it ends at once.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") Deno.exit(0);
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), GRACE_MS));
  Deno.kill(Deno.pid, "SIGTERM");
}

// Deno runs the program only when the preloaded module has nothing left to wait for. An unreferenced timer does not
// count, so standard input is read while the program runs.
Deno.unrefTimer(setTimeout(exitWithParent, 50));
