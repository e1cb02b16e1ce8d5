/** How much `deno task test:soak` does of each property: other histories each time, within ten minutes. */
export const SOAK = { numRuns: 500, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true };
