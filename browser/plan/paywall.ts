import { signal } from "@preact/signals";

/** What the server says when a limit of the plan is reached: the members of its problem document. */
export interface QuotaProblem {
  feature: string;
  quota: number;
  used: number;
  /** 0 = so many at once. */
  windowSeconds: number;
  period: "rolling" | "calendar_month";
  /** When some of it is free again, in ISO 8601; null when waiting does not help. */
  resetsAt: string | null;
  /** The code of the plan that includes more; null when none does. */
  upgradePlan: string | null;
}

/** The limit that was met last, until it is dismissed. */
export const paywall = signal<QuotaProblem | null>(null);

/** Shows what a 402 says. */
export function showPaywall(problem: unknown): void {
  paywall.value = problem as QuotaProblem;
}

export function dismissPaywall(): void {
  paywall.value = null;
}
