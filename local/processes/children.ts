/**
 * Starts, watches and stops the processes of the local stack.
 *
 * A child ends when its standard input closes (exit_with_parent.ts), so no process is left over when the launcher
 * is killed. Each child has its own process group: Ctrl-C in a terminal reaches only the launcher, which then stops
 * the children in the right order.
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { LocalError } from "../errors.ts";
import { projectPath, projectRoot } from "../paths.ts";

/** How many of its last output lines a child that died shows. */
const KEPT_LINES = 40;
const STOP_MS = 8_000;
/** How long to wait for the rest of a dead child's output, which a grandchild may hold open. */
const OUTPUT_MS = 500;
const READY_MS = 60_000;
/** How long to wait for one answer of a process that is starting. */
const ATTEMPT_MS = 2_000;
const POLL_MS = 25;

/** One process to start. */
export interface ChildSpec {
  /** For messages. */
  name: string;
  /** The module to run, relative to the project's folder, and its arguments. */
  module: string;
  args?: string[];
  /** Arguments of `deno run`, permissions included; all permissions when left out. */
  denoArgs?: string[];
  /** The child's environment, besides what any program needs. Nothing else of the developer's shell is passed on. */
  env?: Record<string, string>;
  /** The child is ready when this address answers 200, or when it has printed this line. */
  readyWhen: { url: string } | { line: string };
}

interface Child {
  name: string;
  process: Deno.ChildProcess;
  lastLines: string[];
  /** Settles when the process has ended and its output is read to the end. */
  ended: Promise<Deno.CommandStatus>;
}

/** Processes that are started and stopped together. */
export class Children {
  #running: Child[] = [];
  #stopping?: Promise<void>;
  #failed = Promise.withResolvers<LocalError>();

  /** `onLine` is called with every line that a child prints. */
  constructor(private readonly onLine: (name: string, line: string) => void = () => {}) {}

  /** Resolves with the error to show when a child ends that was not stopped. */
  get failed(): Promise<LocalError> {
    return this.#failed.promise;
  }

  /**
   * Starts a process and resolves once it is ready.
   *
   * Rejects with a LocalError: `child_died` with the child's last lines, `child_not_ready`, or `stopped` when
   * stop() was called meanwhile.
   */
  async start(spec: ChildSpec): Promise<void> {
    if (this.#stopping) throw stopped(spec.name);
    const printed = Promise.withResolvers<void>();
    const child = this.#spawn(spec, (line) => {
      if ("line" in spec.readyWhen && line === spec.readyWhen.line) printed.resolve();
    });
    this.#running.push(child);
    const over = new AbortController();
    const ready = "url" in spec.readyWhen ? answers(spec.readyWhen.url, over.signal) : printed.promise;
    try {
      await Promise.race([ready, this.#deathOf(child), tooLate(spec.name, over.signal)]);
    } finally {
      over.abort();
    }
  }

  /** Stops every child, the last one started first, and resolves when all have ended. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#running.toReversed()) {
      await child.process.stdin.close().catch(() => {}); // already closed when the child died by itself
      const kill = setTimeout(() => child.process.kill("SIGKILL"), STOP_MS);
      await child.process.status;
      clearTimeout(kill);
      await child.ended;
    }
  }

  async #deathOf(child: Child): Promise<never> {
    const status = await child.ended;
    if (this.#stopping) throw stopped(child.name);
    throw deathOf(child, status);
  }

  #spawn(spec: ChildSpec, onStdoutLine: (line: string) => void): Child {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...(spec.denoArgs ?? ["--allow-all"]),
        "--no-prompt",
        `--preload=${projectPath("local", "processes", "exit_with_parent.ts")}`,
        projectPath(spec.module),
        ...(spec.args ?? []),
      ],
      cwd: projectRoot,
      env: { ...commonEnvironment(), ...spec.env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    const lastLines: string[] = [];
    const keep = (line: string) => {
      lastLines.push(line);
      if (lastLines.length > KEPT_LINES) lastLines.shift();
      this.onLine(spec.name, line);
    };
    const read = [
      eachLine(process.stdout, (line) => {
        keep(line);
        onStdoutLine(line);
      }),
      eachLine(process.stderr, keep),
    ];
    const ended = process.status.then(async (status) => {
      await Promise.race([Promise.all(read), new Promise((resolve) => setTimeout(resolve, OUTPUT_MS))]);
      return status;
    });
    const child = { name: spec.name, process, lastLines, ended };
    ended.then((status) => {
      if (!this.#stopping) this.#failed.resolve(deathOf(child, status));
    });
    return child;
  }
}

/** The variables that any program needs: where programs, temporary files and packages are. */
export function commonEnvironment(): Record<string, string> {
  const common = /^(PATH|HOME|USER|TMPDIR|TMP|TEMP|SYSTEMROOT|LOCALAPPDATA|DENO_DIR|NPM_CONFIG_.*)$/i;
  const entries = Object.entries(Deno.env.toObject()).filter(([name]) => common.test(name));
  return { ...Object.fromEntries(entries), NO_COLOR: "1" };
}

function deathOf(child: Child, status: Deno.CommandStatus): LocalError {
  const how = status.signal ?? `exit code ${status.code}`;
  const output = child.lastLines.map((line) => `  ${line}`).join("\n");
  return new LocalError(
    "child_died",
    `${child.name} ended unexpectedly (${how}). Its last lines:\n${output}`,
  );
}

function stopped(name: string): LocalError {
  return new LocalError("stopped", `${name} was stopped before it was ready.`);
}

async function tooLate(name: string, over: AbortSignal): Promise<never> {
  await pause(READY_MS, over);
  throw new LocalError("child_not_ready", `${name} was not ready after ${READY_MS / 1000} seconds.`);
}

async function answers(url: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    // Refused connections and early errors mean "not yet": the race in start() knows when to give up.
    // A connection made at the very moment a server begins to listen may never be answered, hence the time limit.
    const signal = AbortSignal.any([over, AbortSignal.timeout(ATTEMPT_MS)]);
    const response = await fetch(url, { signal }).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await pause(POLL_MS, over);
  }
}

function pause(milliseconds: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    over.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}

async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const input = Readable.fromWeb(stream as NodeReadableStream);
  for await (const line of createInterface({ input })) onLine(line);
}
