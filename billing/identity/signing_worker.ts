/** The thread that signs (see rsa_signer.ts): gets `{id, text}` and posts `{id, signature}` or `{id, error}`. */
import { createPrivateKey, createSign } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";

const key = createPrivateKey(workerData as string);

parentPort!.on("message", ({ id, text }: { id: number; text: string }) => {
  try {
    parentPort!.postMessage({ id, signature: createSign("SHA256").update(text).sign(key, "base64") });
  } catch (error) {
    parentPort!.postMessage({ id, error: String(error) });
  }
});
