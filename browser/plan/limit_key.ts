import type { PlanLimit } from "../api/contract.ts";

/** Identifies a limit among the limits of one plan. */
export const limitKey = ({ feature, windowSeconds, period }: PlanLimit): string =>
  `${feature}-${windowSeconds}-${period}`;
