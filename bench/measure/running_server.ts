/** A server that is measured: a process of its own, with its own environment. */
import { commonEnvironment } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { projectRoot } from "../../local/paths.ts";
import { HttpConnection, requestBytes } from "../load/connection.ts";

export interface ServerSpec {
  name: string;
  /** The program, and its arguments for a port. */
  program?: string;
  args(port: number): string[];
  env: Record<string, string>;
  cwd?: string;
  /** The port; by default a free one. */
  port?: number;
  /** A path that it answers, whatever the status, as soon as it serves. */
  path: string;
}

export interface RunningServer extends AsyncDisposable {
  name: string;
  port: number;
  pid: number;
  /** From its start to the first answer, in ms. */
  firstAnswerMs: number;
}

const START_MS = 30_000;
const running = new Set<Deno.ChildProcess>();
addEventListener("unload", () => running.forEach((process) => process.kill("SIGKILL")));

/** Starts a server on a free port, and resolves at its first answer. Rejects with its last output when it ends before. */
export async function startServer(
  { name, program, args, env, cwd, path, port = freePorts(1)[0] }: ServerSpec,
): Promise<RunningServer> {
  const begun = performance.now();
  const process = new Deno.Command(program ?? Deno.execPath(), {
    args: args(port),
    cwd: cwd ?? projectRoot,
    env: { ...commonEnvironment(), ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(process);
  const output: string[] = [];
  const read = [process.stdout, process.stderr].map((stream) => keepEnd(stream, output));
  let ended = false;
  const end = process.status.then(async () => {
    ended = true;
    running.delete(process);
    await Promise.all(read);
  });
  while (!await answers(port, path)) {
    if (ended || performance.now() - begun > START_MS) {
      if (!ended) process.kill("SIGKILL");
      await end;
      throw new Error(`${name} does not answer:\n${output.join("")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return {
    name,
    port,
    pid: process.pid,
    firstAnswerMs: performance.now() - begun,
    async [Symbol.asyncDispose]() {
      if (!ended) process.kill("SIGTERM");
      const kill = setTimeout(() => process.kill("SIGKILL"), 5_000);
      await end;
      clearTimeout(kill);
    },
  };
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    using connection = await HttpConnection.open(port);
    await connection.exchange(requestBytes({ method: "GET", path, port, headers: {} }));
    return true;
  } catch {
    return false; // nothing listens yet
  }
}

async function keepEnd(stream: ReadableStream<Uint8Array<ArrayBuffer>>, kept: string[]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    kept.push(text);
    if (kept.length > 40) kept.shift();
  }
}
