import { signal } from "@preact/signals";
import { callServer } from "./api/connection.ts";
import { pageLanguage } from "./language/page_language.ts";
import { dismissToast, showToast } from "./toasts.ts";

/** What was said so far: by the person and by the assistant in turn. */
export const conversation = signal<string[]>([]);

let isSending = false;

/**
 * Says something to the assistant. Tells whether it arrived; if not, the person has been told why: by the paywall where
 * a limit of the plan is in the way, else by a toast. One thing is said at a time, so that a double click says it once.
 */
export async function say(message: string): Promise<boolean> {
  if (isSending) return false;
  isSending = true;
  dismissToast("assistant");
  const result = await callServer<{ reply: string }>("POST", "/api/assistant/messages", { message });
  isSending = false;
  if (result.ok) {
    conversation.value = [...conversation.value, message, result.data.reply];
  } else if (result.failure.status !== 402) {
    const { sendFailed } = pageLanguage().texts;
    const text = sendFailed.codes[result.failure.code] ?? sendFailed.other;
    showToast({ id: "assistant", tone: "error", text });
  }
  return result.ok;
}
