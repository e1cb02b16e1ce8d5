import { signal } from "@preact/signals";
import { callPlugin } from "../../browser/api/connection.ts";
import { pageLanguage } from "../../browser/language/page_language.ts";
import { dismissToast, showToast } from "../../browser/toasts.ts";

/** The messages so far, in turn from the person and from the assistant. */
export const conversation = signal<string[]>([]);

let isSending = false;

/**
 * Sends a message to the assistant and resolves to whether it was answered. If not, the person sees why: in the paywall
 * when a limit of the plan is reached (the API client shows that), otherwise in a toast. While one message is on its way
 * no other is sent, so a double click sends one.
 */
export async function say(message: string): Promise<boolean> {
  if (isSending) return false;
  isSending = true;
  dismissToast("assistant");
  const result = await callPlugin<{ reply: string }>("POST", "/api/assistant/messages", { message });
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
