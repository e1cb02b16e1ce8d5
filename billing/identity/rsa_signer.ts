import { Worker } from "node:worker_threads";
import { tooMany } from "../limits/rates.ts";

/** Signatures that wait or are being made. At 5 ms each the last of them is ready after half a second. */
const MAX_WAITING = 100;
const ANSWER_MS = 5_000;

interface Waiting {
  resolve(signature: string): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

type Answer = { id: number; signature: string } | { id: number; error: string };

/**
 * Signs texts with RSA (PKCS #1 v1.5, SHA-256) in a thread of its own: a signature takes 5 to 30 ms, in which a single-threaded
 * server would answer nobody. The thread starts with the first signature, ends with the process, and is replaced when it fails.
 */
export function rsaSigner(privateKey: string) {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastId = 0;

  function settle(id: number): Waiting | undefined {
    const one = waiting.get(id);
    waiting.delete(id);
    clearTimeout(one?.timer);
    return one;
  }

  function start(): Worker {
    const started = new Worker(new URL("./signing_worker.ts", import.meta.url), { workerData: privateKey });
    started.unref();
    started.on("message", (answer: Answer) => {
      const one = settle(answer.id);
      if ("signature" in answer) one?.resolve(answer.signature);
      else one?.reject(new Error(`Signing failed: ${answer.error}`));
    });
    const fail = (error: Error) => {
      if (worker === started) worker = undefined;
      for (const id of waiting.keys()) settle(id)?.reject(error);
    };
    started.on("error", fail);
    started.on("exit", () => fail(new Error("The signing thread ended.")));
    return started;
  }

  return {
    /** The signature in Base64. Throws `too_many_requests` when too many wait for theirs. */
    sign(text: string): Promise<string> {
      if (waiting.size >= MAX_WAITING) throw tooMany("Too many people sign in at this moment.", 2);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const id = ++lastId;
      const timer = setTimeout(() => settle(id)?.reject(new Error("Signing took too long.")), ANSWER_MS);
      waiting.set(id, { resolve, reject, timer });
      worker ??= start();
      worker.postMessage({ id, text });
      return promise;
    },
    /** Ends the thread. */
    async close(): Promise<void> {
      await worker?.terminate();
    },
  };
}
