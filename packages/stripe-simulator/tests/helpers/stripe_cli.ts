import { dirname, join } from "node:path";
import process from "node:process";

const cliPackage = "@stripe/cli@1.52.0";

/** The result of a run of the CLI. */
export interface CliRun {
  code: number;
  output: string;
  /** Its standard error. */
  messages: string;
}

/** Stripe's official CLI, connected to a simulator. Its configuration is in a temporary folder. */
export interface Cli extends AsyncDisposable {
  run(...args: string[]): Promise<CliRun>;
  /** Starts `stripe listen` and resolves when it listens. Disposing it ends the process. */
  listen(...args: string[]): Promise<AsyncDisposable>;
  /** Starts `stripe logs tail` and resolves when it listens. Disposing it ends the process. */
  tailLogs(): Promise<LogTail>;
}

/** A running `stripe logs tail`. */
export interface LogTail extends AsyncDisposable {
  output(): string;
  /** Resolves when the text was printed. */
  prints(text: string): Promise<void>;
}

/** Finds the CLI through npx. Returns a reason when npx, the package or the npm registry is not available. */
export async function findCli(): Promise<{ path: string } | { reason: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("npx", {
      args: ["-y", "-p", cliPackage, "-c", "command -v stripe"],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    if (!success) return { reason: decoder.decode(stderr).trim() };
    return { path: await programBehind(decoder.decode(stdout).trim()) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Finds the executable behind npm's script, because the script does not forward signals. */
async function programBehind(script: string): Promise<string> {
  const folder = dirname(dirname(await Deno.realPath(script)));
  const platforms: Record<string, { pkg: string; bin: string }> = JSON.parse(
    await Deno.readTextFile(join(folder, "platforms.json")),
  );
  const { pkg, bin } = platforms[`${process.platform}-${process.arch}`];
  return await Deno.realPath(join(folder, "..", "..", pkg, "bin", bin))
    .catch(() => Deno.realPath(join(folder, "vendor", "bin", bin)));
}

export async function connectCli(path: string, simulator: { url: string }): Promise<Cli> {
  const home = await Deno.makeTempDir({ prefix: "stripe-simulator-cli-" });
  const command = (args: string[], output: "piped") =>
    new Deno.Command(path, {
      args: [...args, "--api-base", simulator.url],
      env: {
        HOME: home,
        DO_NOT_TRACK: "1",
        STRIPE_API_KEY: "sk_test_1234567890abcdef",
        STRIPE_CLI_TELEMETRY_OPTOUT: "true",
      },
      stdin: "null",
      stdout: output,
      stderr: output,
    });
  return {
    async run(...args) {
      const { code, stdout, stderr } = await command(args, "piped").output();
      const decoder = new TextDecoder();
      return { code, output: decoder.decode(stdout), messages: decoder.decode(stderr) };
    },
    async listen(...args) {
      const listener = command(["listen", ...args], "piped").spawn();
      const quiet = listener.stdout.pipeTo(new WritableStream());
      const stderr = listener.stderr.pipeThrough(new TextDecoderStream());
      await waitFor("Ready!", stderr);
      const drained = stderr.pipeTo(new WritableStream());
      return {
        async [Symbol.asyncDispose]() {
          listener.kill("SIGTERM");
          await Promise.all([listener.status, quiet, drained]);
        },
      };
    },
    async tailLogs() {
      const tail = command(["logs", "tail"], "piped").spawn();
      let output = "";
      let onOutput = () => {};
      const read = tail.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
        new WritableStream({
          write(text) {
            output += text;
            onOutput();
          },
        }),
      );
      const stderr = tail.stderr.pipeThrough(new TextDecoderStream());
      await waitFor("Ready!", stderr);
      const drained = stderr.pipeTo(new WritableStream());
      return {
        output: () => output,
        prints: (text) =>
          new Promise((resolve) => {
            onOutput = () => output.includes(text) && resolve();
            onOutput();
          }),
        async [Symbol.asyncDispose]() {
          tail.kill("SIGTERM");
          await Promise.all([tail.status, read, drained]);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(home, { recursive: true });
    },
  };
}

/** Reads until the word appears, and leaves the rest of the stream. */
async function waitFor(word: string, stream: ReadableStream<string>) {
  const reader = stream.getReader();
  let text = "";
  while (!text.includes(word)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The CLI ended without ${word}: ${text}`);
    text += value;
  }
  reader.releaseLock();
}
