/** Accounts of processor time and memory, from /proc: Linux only. Elsewhere nothing is known, and no slice is disturbed. */
import { cpus, totalmem } from "node:os";
import type { Disturbance } from "./turns.ts";

export const hasAccounts = Deno.build.os === "linux";

/** Milliseconds in a clock tick of /proc: USER_HZ is 100 on Linux (time(7)). */
const TICK_MS = 10;

interface ProcessTimes {
  parent: number;
  /** User and system time, ms. */
  own: number;
  /** That of children that have ended and were waited for. */
  children: number;
}

function timesOf(pid: number | string): ProcessTimes | null {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The second field, in parentheses, may contain anything (proc_pid_stat(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    return {
      parent: fields[1],
      own: (fields[11] + fields[12]) * TICK_MS,
      children: (fields[13] + fields[14]) * TICK_MS,
    };
  } catch {
    return null; // it has ended
  }
}

/** User and system time of processes so far, in ms; 0 for those that have ended. */
export const cpuMs = (pids: number[]): number => pids.reduce((sum, pid) => sum + (timesOf(pid)?.own ?? 0), 0);

/** The same with that of their children that have ended. */
export const cpuMsWithEnded = (pid: number): number => {
  const times = timesOf(pid);
  return times ? times.own + times.children : 0;
};

/** Resident memory of a process in MB (of a million bytes), or NaN where it is not known. */
export function memoryMb(pid: number): number {
  if (!hasAccounts) return NaN;
  const [, kib] = Deno.readTextFileSync(`/proc/${pid}/status`).match(/^VmRSS:\s+(\d+) kB/m) ?? [];
  return Number(kib) * 1024 / 1e6;
}

/** Processor time in ms of this process and all that it started, directly or not, those that have ended included. */
export function ownCpuMs(): number {
  const all = new Map<number, ProcessTimes>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const times = /^\d+$/.test(name) && timesOf(name);
    if (times) all.set(Number(name), times);
  }
  const isOurs = (pid: number): boolean =>
    pid === Deno.pid || (all.has(pid) && pid > 1 && isOurs(all.get(pid)!.parent));
  return [...all].filter(([pid]) => isOurs(pid)).reduce(
    (sum, [_, { own, children }]) => sum + own + children,
    0,
  );
}

/** Processor time in ms since the machine started. */
export interface MachineTimes {
  total: number;
  busy: number;
  steal: number;
  /** Of the benchmark's own processes. */
  ours: number;
}

function machineTimes(): MachineTimes {
  const [line] = Deno.readTextFileSync("/proc/stat").split("\n");
  // user nice system idle iowait irq softirq steal (proc_stat(5)); guest time is part of user time
  const fields = line.trim().split(/\s+/).slice(1, 9).map((ticks) => Number(ticks) * TICK_MS);
  const total = fields.reduce((sum, value) => sum + value, 0);
  return { total, busy: total - fields[3] - fields[4], steal: fields[7], ours: ownCpuMs() };
}

/** What others took between two readings. */
export function disturbanceBetween(before: MachineTimes, after: MachineTimes): Disturbance {
  const since = (name: keyof MachineTimes) => after[name] - before[name];
  const total = Math.max(since("total"), TICK_MS);
  return {
    steal: since("steal") / total,
    foreign: Math.max(0, since("busy") - since("steal") - since("ours")) / total,
  };
}

/** Begins to watch the machine. The returned function says what others took since then. */
export function watchOthers(): () => Disturbance {
  if (!hasAccounts) return () => ({ foreign: 0, steal: 0 });
  const before = machineTimes();
  return () => disturbanceBetween(before, machineTimes());
}

/** Waits until others leave the machine alone, or for `atMostMs`. */
export async function waitForQuiet(atMostMs: number): Promise<void> {
  const deadline = Date.now() + atMostMs;
  while (Date.now() < deadline) {
    const others = watchOthers();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { foreign, steal } = others();
    if (foreign + steal < 0.1) return;
  }
}

/** What the figures were measured on. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  os: string;
  deno: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    os: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
  };
}

/** The type of the file system that a folder lies on, such as ext4; "unknown" where there is no /proc. */
export function fileSystemOf(folder: string): string {
  if (!hasAccounts) return "unknown";
  const mounts = Deno.readTextFileSync("/proc/self/mounts").trim().split("\n").map((line) => line.split(" "));
  const holding = mounts.filter(([_, point]) => `${folder}/`.startsWith(point === "/" ? "/" : `${point}/`));
  return holding.toSorted((a, b) => b[1].length - a[1].length)[0]?.[2] ?? "unknown";
}
