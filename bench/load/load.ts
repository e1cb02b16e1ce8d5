/** The load process, seen from the benchmark. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { commonEnvironment } from "../../local/processes/children.ts";
import { projectPath, projectRoot } from "../../local/paths.ts";
import type { EventSeries } from "./event_series.ts";

interface Common {
  port: number;
  path: string;
  /** Connections, each with one request in flight at most. */
  inFlight: number;
  /** Requests that are sent, and not measured, before the others. */
  warmUp: number;
  /** Requests that are built for measuring. */
  count: number;
  /** The measurement ends after this time, or when all requests are answered. */
  milliseconds?: number;
  /** Instead: so many requests a second are due, whether or not earlier ones are answered. */
  perSecond?: number;
}

export type LoadTask =
  & Common
  & (
    | { kind: "get"; headers: Record<string, string> }
    | { kind: "events"; series: EventSeries; from: number; secret: string }
  );

export interface LoadResult {
  wallMs: number;
  /** Of each measured request, in ms. */
  latencies: number[];
  /** How many were answered with which status. */
  statuses: Record<string, number>;
  /** How many answers had how many bytes of body. */
  sizes: Record<string, number>;
  /** Status and body of the first answer other than 200, also of the warm-up. */
  firstBad: string | null;
  /** Requests answered with 200, and all requests: both with the warm-up. */
  accepted: number;
  sent: number;
  /** What the load process itself computed while it measured. */
  loadCpuMs: number;
}

export class LoadProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor() {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net=127.0.0.1", projectPath("bench", "load", "load_process.ts")],
      cwd: projectRoot,
      env: commonEnvironment(),
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = createInterface({ input: Readable.fromWeb(this.#process.stdout as never) })
      [Symbol.asyncIterator]();
    this.#input = this.#process.stdin.getWriter();
  }

  /** Runs a task. `onStart` is called between warm-up and measurement. Rejects when a connection fails. */
  async run(task: LoadTask, onStart: () => void | Promise<void> = () => {}): Promise<LoadResult> {
    await this.#say(JSON.stringify(task));
    await this.#hear();
    await onStart();
    await this.#say("go");
    return await this.#hear() as LoadResult;
  }

  async #say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  async #hear(): Promise<unknown> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("The load process ended.");
    const message = JSON.parse(value);
    if (message.error) throw new Error(`The load process: ${message.error}`);
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it may have ended
    await this.#process.status;
  }
}
