/** Which processes a test has left over. */
import { allProcesses, type Process } from "../../local/processes/process_table.ts";

export type { Process };

/** All processes that a process has started, directly or not. */
export async function descendantsOf(pid: number): Promise<Process[]> {
  const all = await allProcesses();
  const below = (parent: number): Process[] =>
    all.filter((process) => process.parent === parent).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** Those of the processes that still run after `milliseconds`; resolves as soon as none does. */
export async function leftOver(processes: Process[], milliseconds = 10_000): Promise<Process[]> {
  const deadline = Date.now() + milliseconds;
  while (true) {
    const running = new Map((await allProcesses()).map((process) => [process.pid, process.command]));
    const left = processes.filter(({ pid, command }) => running.get(pid) === command);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
