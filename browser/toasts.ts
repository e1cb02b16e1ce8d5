import { signal } from "@preact/signals";

/** A passing notice. One `id` is one event: showing it again changes the notice instead of adding another. */
export interface Toast {
  id: string;
  tone: "success" | "info" | "error";
  text: string;
}

export const toasts = signal<Toast[]>([]);

/** Long enough to be read twice. An error stays until it is dismissed. */
const SHOWN_FOR_MS = 10_000;

const timers = new Map<string, ReturnType<typeof setTimeout>>();

/** Shows a notice, or changes the one with the same id. */
export function showToast(toast: Toast): void {
  dismissToast(toast.id);
  toasts.value = [...toasts.value, toast];
  if (toast.tone !== "error") timers.set(toast.id, setTimeout(() => dismissToast(toast.id), SHOWN_FOR_MS));
}

/** Takes a notice away, if it is still there. */
export function dismissToast(id: string): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
