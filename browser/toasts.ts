import { signal } from "@preact/signals";

/** A notice. Showing a second one with the same `id` replaces the first. */
export interface Toast {
  id: string;
  tone: "success" | "info" | "error";
  text: string;
}

/** The notices that are shown. Each stays until it is dismissed or replaced, so there is no time limit for reading. */
export const toasts = signal<Toast[]>([]);

/** Shows a notice, in place of the one with the same id. */
export function showToast(toast: Toast): void {
  dismissToast(toast.id);
  toasts.value = [...toasts.value, toast];
}

/** Removes a notice, if it is shown. */
export function dismissToast(id: string): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
