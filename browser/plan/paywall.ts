import { signal } from "@preact/signals";

/** The members of the problem document (RFC 9457) with which the server says that a limit of the plan is reached. */
export interface QuotaProblem {
  feature: string;
  quota: number;
  used: number;
  /** Seconds. 0 for a limit on how many there may be at the same time. */
  windowSeconds: number;
  period: "rolling" | "calendar_month";
  /** When more becomes available, in ISO 8601; null if only releasing something helps. */
  resetsAt: string | null;
  /** The code of a plan with a larger limit; null if there is none. */
  upgradePlan: string | null;
}

/** The limit that refused the last call, until the person dismisses the notice. */
export const paywall = signal<QuotaProblem | null>(null);

/** Shows the paywall for the problem document of a 402 answer. */
export function showPaywall(problem: unknown): void {
  paywall.value = problem as QuotaProblem;
}

export function dismissPaywall(): void {
  paywall.value = null;
}
