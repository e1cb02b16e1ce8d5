import type { PlanLimit } from "../api/contract.ts";

/** What tells the limits of one plan apart. */
export const limitKey = ({ feature, windowSeconds, period }: PlanLimit): string =>
  `${feature}-${windowSeconds}-${period}`;
