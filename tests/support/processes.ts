/** The processes of this machine, for tests that none is left over. */

export interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** All processes that a process has started, directly or not. */
export async function descendantsOf(pid: number): Promise<Process[]> {
  const all = await allProcesses();
  const below = (parent: number): Process[] =>
    all.filter((process) => process.parent === parent).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** Those of the processes that still run after a while. Returns as soon as none does. */
export async function leftOver(processes: Process[], milliseconds = 10_000): Promise<Process[]> {
  const deadline = Date.now() + milliseconds;
  while (true) {
    const running = new Map((await allProcesses()).map((process) => [process.pid, process.command]));
    const left = processes.filter(({ pid, command }) => running.get(pid) === command);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function allProcesses(): Promise<Process[]> {
  return Deno.build.os === "linux" ? await fromProc() : await fromPs();
}

async function fromProc(): Promise<Process[]> {
  const entries = await Array.fromAsync(Deno.readDir("/proc"));
  const read = entries.filter(({ name }) => /^\d+$/.test(name)).map(async ({ name }) => {
    try {
      const status = await Deno.readTextFile(`/proc/${name}/status`);
      const commandLine = await Deno.readTextFile(`/proc/${name}/cmdline`);
      const parent = Number(status.match(/^PPid:\s*(\d+)/m)?.[1]);
      // A zombie has ended; its parent has not read its exit status yet.
      if (/^State:\s*Z/m.test(status)) return [];
      return [{ pid: Number(name), parent, command: commandLine.replaceAll("\0", " ").trim() }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
  return (await Promise.all(read)).flat();
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-axo", "pid=,ppid=,args="] }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const [, pid, parent, command] = line.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}
