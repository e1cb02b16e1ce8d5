import { signal } from "@preact/signals";

/** A notice. One `id` is one event: showing it again changes the notice instead of adding another. */
export interface Toast {
  id: string;
  tone: "success" | "info" | "error";
  text: string;
}

/** Each stays until it is dismissed or what it speaks of is over: nobody has to read in a hurry. */
export const toasts = signal<Toast[]>([]);

/** Shows a notice, or changes the one with the same id. */
export function showToast(toast: Toast): void {
  dismissToast(toast.id);
  toasts.value = [...toasts.value, toast];
}

/** Takes a notice away, if it is still there. */
export function dismissToast(id: string): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
