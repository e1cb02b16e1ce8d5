import type { PlanLimit } from "./contract.ts";

/** What tells the limits of one plan apart. */
export const limitKey = ({ feature, windowSeconds, period }: PlanLimit): string =>
  `${feature}-${windowSeconds}-${period}`;
