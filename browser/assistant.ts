import { signal } from "@preact/signals";
import { callPlugin } from "./connection.ts";
import { pageLanguage } from "./page_language.ts";
import { dismissToast, showToast } from "./toasts.ts";

/** One line of the conversation. */
export interface Message {
  from: "you" | "assistant";
  text: string;
}

export const conversation = signal<Message[]>([]);
export const isSending = signal(false);

/**
 * Says something to the assistant. Tells whether it arrived; if not, the person has been told why: by the paywall where
 * a limit of the plan is in the way, else by a toast.
 */
export async function say(text: string): Promise<boolean> {
  if (isSending.value) return false;
  isSending.value = true;
  dismissToast("assistant");
  const result = await callPlugin<{ reply: string }>("POST", "/api/assistant/messages", { message: text });
  isSending.value = false;
  if (result.ok) {
    conversation.value = [...conversation.value, { from: "you", text }, {
      from: "assistant",
      text: result.data.reply,
    }];
  } else if (result.failure.status !== 402) {
    const { sendFailed } = pageLanguage().texts;
    const text = sendFailed.codes[result.failure.code] ?? sendFailed.other;
    showToast({ id: "assistant", tone: "error", text });
  }
  return result.ok;
}
