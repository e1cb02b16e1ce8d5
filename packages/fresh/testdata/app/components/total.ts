import { signal } from "@preact/signals";

export const total = signal(0);
