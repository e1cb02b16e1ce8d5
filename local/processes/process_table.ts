/** The processes of this machine, from /proc or, where there is none, from `ps`. */

export interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** One process, or null if it has ended. */
export async function readProcess(pid: number): Promise<Process | null> {
  if (Deno.build.os === "linux") return await readProc(pid);
  return (await readPs("-p", String(pid)))[0] ?? null;
}

/** Every process. */
export async function allProcesses(): Promise<Process[]> {
  if (Deno.build.os !== "linux") return await readPs("-ax");
  const entries = await Array.fromAsync(Deno.readDir("/proc"));
  const pids = entries.map(({ name }) => name).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readProc(Number(pid))))).filter((process) => process !== null);
}

async function readProc(pid: number): Promise<Process | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    // A zombie has ended; its parent has not read its exit code yet.
    if (/^State:\s*Z/m.test(status)) return null;
    const parent = Number(status.match(/^PPid:\s*(\d+)/m)?.[1]);
    return { pid, parent, command: commandLine.replaceAll("\0", " ").trim() };
  } catch {
    return null; // it has ended
  }
}

async function readPs(...selection: string[]): Promise<Process[]> {
  if (Deno.build.os === "windows") return [];
  const { stdout } = await new Deno.Command("ps", { args: [...selection, "-o", "pid=,ppid=,args="] })
    .output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const [, pid, parent, command] = line.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}
